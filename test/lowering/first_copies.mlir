// RUN: mlc-opt %s -p "apply-schedule,lower-loop" | FileCheck %s
// Copies that the first trip of a loop makes beside its own work, and copies that it cannot make.

// CHECK: func.func @made
// CHECK: %[[COPY:.*]] = memref.alloc() {{.*}} : memref<40x16xf32>
// CHECK: scf.for
// CHECK-NEXT: vector.transfer_read %A[%c0, %k]
// CHECK-NEXT: %[[B:.*]] = vector.transfer_read %B[%k, %c0]{{.*}} vector<16xf32>
// CHECK-NEXT: vector.transfer_write %[[B]], %[[COPY]][%k, %c0]
// CHECK: scf.for %i0 = %c4 to %c12 step %c4
// CHECK: vector.transfer_read %[[COPY]]
// CHECK-NOT: %B[
func.func @made(%A: tensor<12x40xf32>, %B: tensor<40x16xf32>) -> tensor<12x16xf32> attributes {loop.schedule =
    "loop-pack{value=B axes=k,j first=true},loop-vectorize{axes=j only=pack_B},loop-tile{axis=i size=4 only=mm},loop-vectorize{axes=i,j only=mm}"} {
  %y = loop.stage mm [i: 12, j: 16, k: 40] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %y : tensor<12x16xf32>
}

// The last of the tiles, which begins earlier, is none of the first trip's business.
// CHECK: func.func @clamped
// CHECK: vector.transfer_write %{{.*}}, %[[COPY:.*]][%k, %c0] {{.*}} : vector<16xf32>, memref<40x16xf32>
// CHECK: scf.for %i0 = %c4 to %c11 step %c4
// CHECK-NEXT: arith.minsi
func.func @clamped(%A: tensor<11x40xf32>, %B: tensor<40x16xf32>) -> tensor<11x16xf32> attributes {loop.schedule =
    "loop-pack{value=B axes=k,j first=true},loop-vectorize{axes=j only=pack_B},loop-tile{axis=i size=4 only=mm},loop-vectorize{axes=i,j only=mm}"} {
  %y = loop.stage mm [i: 11, j: 16, k: 40] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %y : tensor<11x16xf32>
}

// Trips in parallel are none of them the first.
// CHECK: func.func @parallel
// CHECK: scf.for %k
// CHECK-NEXT: vector.transfer_read %B
// CHECK-NEXT: vector.transfer_write
// CHECK: scf.parallel
func.func @parallel(%A: tensor<12x40xf32>, %B: tensor<40x16xf32>) -> tensor<12x16xf32> attributes {loop.schedule =
    "loop-pack{value=B axes=k,j first=true},loop-vectorize{axes=j only=pack_B},loop-tile{axis=i size=4 kind=parallel only=mm},loop-vectorize{axes=i,j only=mm}"} {
  %y = loop.stage mm [i: 12, j: 16, k: 40] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %y : tensor<12x16xf32>
}

// Of a size that is not known there may be no trip.
// CHECK: func.func @symbolic
// CHECK: scf.for %k
// CHECK-NEXT: vector.transfer_read %B
// CHECK-NEXT: vector.transfer_write
func.func @symbolic(%A: tensor<?x40xf32, #nd.sym<n>>, %B: tensor<40x16xf32>) -> tensor<?x16xf32, #nd.sym<n>> attributes {loop.schedule =
    "loop-pack{value=B axes=k,j first=true},loop-vectorize{axes=j only=pack_B},loop-tile{axis=i size=4 only=mm},loop-vectorize{axes=i,j only=mm}"} {
  loop.size n = %A, 0
  %y = loop.stage mm [i: n, j: 16, k: 40] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %y : tensor<?x16xf32, #nd.sym<n>>
}

// The memory of a value that is made here may hold another one before the loop ends.
// CHECK: func.func @inner
// CHECK: math.exp
// CHECK: vector.transfer_write %{{.*}}, %pack_B
// CHECK: scf.for %i0 = %c0 to
func.func @inner(%A: tensor<12x40xf32>, %X: tensor<40x16xf32>) -> tensor<12x16xf32> attributes {loop.schedule =
    "loop-pack{value=B axes=k,j first=true},loop-vectorize{axes=j only=pack_B},loop-tile{axis=i size=4 only=mm},loop-vectorize{axes=i,j only=mm}"} {
  %B = loop.stage exp [k: 40, j: 16] (%x = %X[k, j]) -> [k, j] {
    %e = math.exp %x : f32
    loop.yield %e : f32
  }
  %y = loop.stage mm [i: 12, j: 16, k: 40] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %y : tensor<12x16xf32>
}
