// RUN: mlc-opt %s -p 'loop-tile{axis=i size=4},loop-vectorize{axes=i}' | FileCheck %s
// RUN: mlc-opt %s -p 'loop-nest{axis=i}' | FileCheck %s --check-prefix=NEST
// RUN: not mlc-opt %s -p 'loop-tile{axis=j size=4}' 2>&1 | FileCheck %s --check-prefix=ALONG

// A loop that carries values is a statement like a stage: a loop goes around it and what begins it.
// CHECK-LABEL: func.func @f
// CHECK-NEXT:    %y = loop.for i0 = 10 step 4 clamp -> [i0, 0] {
// CHECK-NEXT:      %z = loop.stage init [i: vec 4] () -> [i, 0]
// CHECK:           %{{.*}}, %{{.*}} = loop.for j = 7 with (%c = %z) -> carry [0, 0], [0, j] {
// CHECK-NEXT:        loop.stage sum [i: vec 4] (%a = %c[i, 0], %b = %x[i + i0, j]) -> [i, 0], [i, 0] {
// NEST:          %y = loop.for i = 10 -> [i, 0] {
// NEST-NEXT:       %z = loop.stage init [] () -> [0, 0]
// NEST:            loop.stage sum [] (%a = %c[0, 0], %b = %x[i, j]) -> [0, 0], [0, 0] {
// ALONG: loop-tile: expected an axis of @f, one of i, found j
func.func @f(%x: tensor<10x7xf32>) -> tensor<10x7xf32> {
  %z = loop.stage init [i: 10] () -> [i, 0] {
    %0 = arith.constant 0.0 : f32
    loop.yield %0 : f32
  }
  %s, %y = loop.for j = 7 with (%c = %z) -> carry [0, 0], [0, j] {
    %t, %u = loop.stage sum [i: 10] (%a = %c[i, 0], %b = %x[i, j]) -> [i, 0], [i, 0] {
      %1 = arith.addf %a, %b : f32
      loop.yield %1, %1 : f32, f32
    }
    loop.yield %t, %u : tensor<10x1xf32>, tensor<10x1xf32>
  }
  func.return %y : tensor<10x7xf32>
}
