// RUN: mlc-opt %s -p "loop-tile{axis=k size=3 only=mm}" | FileCheck %s
// A reduced axis cannot be computed twice: its ragged end is cut off and combined.

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
// CHECK: %acc = loop.for k0 = 6 step 3 -> add [0, 0] {
// CHECK: %acc_1 = loop.stage mm [i: 13, j: 20, k: 3] (%a = %A[i, k + k0], %b = %B[k + k0, j]) -> add [i, j] {
// CHECK: %p = arith.mulf %a, %b : f32
// CHECK: loop.yield %p : f32
// CHECK: loop.yield %acc_1 : tensor<13x20xf32>
// CHECK: %acc_2 = loop.stage mm [i: 13, j: 20, k: 2] (%a_1 = %A[i, k + 6], %b_1 = %B[k + 6, j]) -> add [i, j] {
// CHECK: %p_1 = arith.mulf %a_1, %b_1 : f32
// CHECK: loop.yield %p_1 : f32
// CHECK: %acc_3 = loop.stage mm_rest [i: 13, j: 20] (%0 = %acc[i, j], %1 = %acc_2[i, j]) -> [i, j] {
// CHECK: %2 = arith.addf %0, %1 : f32
// CHECK: loop.yield %2 : f32
// CHECK: %C = loop.stage relu [i: 13, j: 20] (%s = %acc_3[i, j]) -> [i, j] {
// CHECK: %z = arith.constant 0.000000e+00 : f32
// CHECK: %r = arith.maximumf %s, %z : f32
// CHECK: loop.yield %r : f32
// CHECK: func.return %C : tensor<13x20xf32>
