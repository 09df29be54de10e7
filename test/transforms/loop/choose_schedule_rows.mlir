// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/wide.toml}" | FileCheck %s
// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/wide.toml},apply-schedule,lower-loop" | FileCheck %s --check-prefix=RUNS
// An operand of the rows that lie one behind the other, and are beyond the second cache, is copied.

// Tiles of eight rows divide them all: the copy holds one tile behind the other.
// CHECK: func.func @tiles({{.*}} attributes {loop.schedule = "loop-split{axis=i size=8 only=mm},loop-pack{value=A axes=i0,k,i only=mm},loop-vectorize{axes=i only=pack_A},loop-tile{axis=j
// CHECK-SAME: loop-nest{axis=i0 only=mm},loop-vectorize{axes=i,j only=mm}"}
// RUNS: func.func @tiles
func.func @tiles(%A: tensor<1024x1024xf32>, %B: tensor<1024x1024xf32>) -> tensor<1024x1024xf32> {
  %acc = loop.stage mm [i: 1024, j: 1024, k: 1024] (%a = %A[k, i], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<1024x1024xf32>
}

// None does: the copy holds one row behind the other, squares of it are turned in registers.
// CHECK: func.func @turned({{.*}} attributes {loop.schedule = "loop-pack{value=A axes=i,k only=mm},loop-split{axis=k size=16 only=pack_A},loop-split{axis=i size=16 only=pack_A},loop-vectorize{axes=i,k only=pack_A},
// RUNS: func.func @turned
func.func @turned(%A: tensor<1024x1021xf32>, %B: tensor<1024x1024xf32>) -> tensor<1021x1024xf32> {
  %acc = loop.stage mm [i: 1021, j: 1024, k: 1024] (%a = %A[k, i], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<1021x1024xf32>
}

// In the second cache it is read as it lies.
// CHECK: func.func @near({{.*}} attributes {loop.schedule = "
// CHECK-NOT: value=A
// CHECK: loop.stage mm
// RUNS: func.func @near
func.func @near(%A: tensor<256x256xf32>, %B: tensor<256x256xf32>) -> tensor<256x256xf32> {
  %acc = loop.stage mm [i: 256, j: 256, k: 256] (%a = %A[k, i], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<256x256xf32>
}
