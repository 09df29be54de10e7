// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/near.toml}" | FileCheck %s
// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/wide.toml}" | FileCheck %s --check-prefix=FAR
// Where the third cache keeps up, a copy of lanes that lie far apart pays for many rows only.

// CHECK: func.func @rows({{.*}} attributes {loop.schedule = "loop-tile{axis=j size=48 only=mm},loop-tile{axis=i size=8 only=mm},loop-vectorize{axes=i,j only=mm}"}
// FAR: func.func @rows
// FAR-SAME: loop-pack{value=B
func.func @rows(%A: tensor<32x768xf32>, %B: tensor<768x3072xf32>) -> tensor<32x3072xf32> {
  %acc = loop.stage mm [i: 32, j: 3072, k: 768] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<32x3072xf32>
}

// CHECK: func.func @more_rows
// CHECK-SAME: loop-pack{value=B
// FAR: func.func @more_rows
// FAR-SAME: loop-pack{value=B
func.func @more_rows(%A: tensor<512x768xf32>, %B: tensor<768x3072xf32>) -> tensor<512x3072xf32> {
  %acc = loop.stage mm [i: 512, j: 3072, k: 768] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<512x3072xf32>
}

// What the third cache does not hold is copied.
// CHECK: func.func @memory
// CHECK-SAME: loop-pack{value=B
// FAR: func.func @memory
// FAR-SAME: loop-pack{value=B
func.func @memory(%A: tensor<32x4096xf32>, %B: tensor<4096x4096xf32>) -> tensor<32x4096xf32> {
  %acc = loop.stage mm [i: 32, j: 4096, k: 4096] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<32x4096xf32>
}
