// RUN: mlc-opt %s -p "loop-tile{axis=i size=6},loop-vectorize{axes=i,j}" | FileCheck %s
// Kinds of axes.

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
// CHECK: %C = loop.for i0 = 13 step 6 clamp -> [i0, 0] {
// CHECK: %acc = loop.stage mm [i: vec 6, j: vec 20, k: 8] (%a = %A[i + i0, k], %b = %B[k, j]) -> add [i, j] {
// CHECK: %p = arith.mulf %a, %b : f32
// CHECK: loop.yield %p : f32
// CHECK: %C_1 = loop.stage relu [i: vec 6, j: vec 20] (%s = %acc[i, j]) -> [i, j] {
// CHECK: %z = arith.constant 0.000000e+00 : f32
// CHECK: %r = arith.maximumf %s, %z : f32
// CHECK: loop.yield %r : f32
// CHECK: loop.yield %C_1 : tensor<6x20xf32>
// CHECK: func.return %C : tensor<13x20xf32>
