// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/wide.toml}" | FileCheck %s
// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/wide.toml},apply-schedule,lower-loop" | FileCheck %s --check-prefix=RUNS

// Blocks of the reduced axis: the rows' factors of one stay in the second cache, beside a small result.
// CHECK: func.func @deep({{.*}} attributes {loop.schedule = "loop-tile{axis=k size=250 only=mm},loop-tile{axis=j
// CHECK-SAME: loop-pack{value=B axes=k,j first=true only=mm}
// CHECK-SAME: loop-vectorize{axes=i,j only=mm}
// RUNS: func.func @deep
func.func @deep(%A: tensor<100x4000xf32>, %B: tensor<4000x300xf32>) -> tensor<100x300xf32> {
  %acc = loop.stage mm [i: 100, j: 300, k: 4000] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<100x300xf32>
}

// There are none where no even blocks are small enough: the rest would be a stage of its own.
// CHECK: func.func @prime({{.*}} attributes {loop.schedule = "loop-tile{axis=j
// CHECK-SAME: loop-vectorize{axes=i,j only=mm}
// RUNS: func.func @prime
func.func @prime(%A: tensor<100x4001xf32>, %B: tensor<4001x300xf32>) -> tensor<100x300xf32> {
  %acc = loop.stage mm [i: 100, j: 300, k: 4001] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<100x300xf32>
}

// A large result is not added up in memory.
// CHECK: func.func @wide({{.*}} attributes {loop.schedule = "loop-tile{axis=j
// CHECK-NOT: axis=k size
// CHECK: loop.stage mm
// RUNS: func.func @wide
func.func @wide(%A: tensor<512x4000xf32>, %B: tensor<4000x512xf32>) -> tensor<512x512xf32> {
  %acc = loop.stage mm [i: 512, j: 512, k: 4000] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<512x512xf32>
}

// Of two operands of which one must be copied, lanes run along the one that lies along them already.
// CHECK: func.func @lanes({{.*}} attributes {loop.schedule = "
// CHECK-SAME: loop-vectorize{axes=i,j only=mm}
// RUNS: func.func @lanes
func.func @lanes(%A: tensor<128x2048xf32>, %B: tensor<2048x1024xf32>) -> tensor<128x1024xf32> {
  %acc = loop.stage mm [i: 128, j: 1024, k: 2048] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<128x1024xf32>
}
