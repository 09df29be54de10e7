// RUN: mlc-opt %s -p "loop-tile{axis=i size=6 balanced=true}" | FileCheck %s
// Two tile sizes that differ by one.

func.func @mm(%A: tensor<13x8xf32>, %B: tensor<8x20xf32>) -> tensor<13x20xf32> {
  %acc = loop.stage mm [i: 13, j: 20, k: 8] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  %C = loop.stage relu [i: 13, j: 20] (%s = %acc[i, j]) -> [i, j] {
    %z = arith.constant 0.0 : f32
    %r = arith.maximumf %s, %z : f32
    loop.yield %r : f32
  }
  func.return %C : tensor<13x20xf32>
}

// CHECK-LABEL: func.func @mm(%A: tensor<13x8xf32>, %B: tensor<8x20xf32>) -> tensor<13x20xf32>
// CHECK: %C = loop.for i0 = 5 step 5 -> [i0, 0] {
// CHECK: %acc = loop.stage mm [i: 5, j: 20, k: 8] (%a = %A[i + i0, k], %b = %B[k, j]) -> add [i, j] {
// CHECK: %p = arith.mulf %a, %b : f32
// CHECK: loop.yield %p : f32
// CHECK: %C_1 = loop.stage relu [i: 5, j: 20] (%s = %acc[i, j]) -> [i, j] {
// CHECK: %z = arith.constant 0.000000e+00 : f32
// CHECK: %r = arith.maximumf %s, %z : f32
// CHECK: loop.yield %r : f32
// CHECK: loop.yield %C_1 : tensor<5x20xf32>
// CHECK: %C_2 = loop.for i0 = 8 step 4 -> [i0, 0] {
// CHECK: %acc_1 = loop.stage mm [i: 4, j: 20, k: 8] (%a_1 = %A[i + i0 + 5, k], %b_1 = %B[k, j]) -> add [i, j] {
// CHECK: %p_1 = arith.mulf %a_1, %b_1 : f32
// CHECK: loop.yield %p_1 : f32
// CHECK: %C_3 = loop.stage relu [i: 4, j: 20] (%s_1 = %acc_1[i, j]) -> [i, j] {
// CHECK: %z_1 = arith.constant 0.000000e+00 : f32
// CHECK: %r_1 = arith.maximumf %s_1, %z_1 : f32
// CHECK: loop.yield %r_1 : f32
// CHECK: loop.yield %C_3 : tensor<4x20xf32>
// CHECK: %C_4 = loop.join (%C at [0, 0], %C_2 at [5, 0]) : tensor<13x20xf32>
// CHECK: func.return %C_4 : tensor<13x20xf32>
