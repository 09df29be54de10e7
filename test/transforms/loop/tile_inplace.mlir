// RUN: mlc-opt %s -p "loop-tile{axis=i size=4}" | FileCheck %s
// No overlapping tiles where the result overwrites an argument: the rest is cut off.

func.func @update(%p: tensor<10xf32> {mlc.inplace = 0 : i64}, %g: tensor<10xf32>) -> tensor<10xf32> {
  %q = loop.stage sgd [i: 10] (%a = %p[i], %b = %g[i]) -> [i] {
    %d = arith.subf %a, %b : f32
    loop.yield %d : f32
  }
  func.return %q : tensor<10xf32>
}

// CHECK: func.func @update(%p: tensor<10xf32> {mlc.inplace = 0 : i64}, %g: tensor<10xf32>) -> tensor<10xf32> {
// CHECK: %q = loop.for i0 = 8 step 4 -> [i0] {
// CHECK: %q_1 = loop.stage sgd [i: 4] (%a = %p[i + i0], %b = %g[i + i0]) -> [i] {
// CHECK: %d = arith.subf %a, %b : f32
// CHECK: loop.yield %d : f32
// CHECK: loop.yield %q_1 : tensor<4xf32>
// CHECK: %q_2 = loop.stage sgd [i: 2] (%a_1 = %p[i + 8], %b_1 = %g[i + 8]) -> [i] {
// CHECK: %d_1 = arith.subf %a_1, %b_1 : f32
// CHECK: loop.yield %d_1 : f32
// CHECK: %q_3 = loop.join (%q at [0], %q_2 at [8]) : tensor<10xf32>
// CHECK: func.return %q_3 : tensor<10xf32>
