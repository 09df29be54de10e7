// RUN: mlc-opt %s -p "loop-copies" | FileCheck %s
// Every destination has a value of its own.

func.func @copies(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<8xf32>) {
  %j = loop.join (%x at [0], %x at [4]) : tensor<8xf32>
  func.return %x, %j : tensor<4xf32>, tensor<8xf32>
}

// CHECK-LABEL: func.func @copies(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<8xf32>)
// CHECK: %x_1 = loop.stage copy_x [d0: 4] (%0 = %x[d0]) -> [d0] {
// CHECK: loop.yield %0 : f32
// CHECK: %x_2 = loop.stage copy_x [d0: 4] (%1 = %x[d0]) -> [d0] {
// CHECK: loop.yield %1 : f32
// CHECK: %j = loop.join (%x_1 at [0], %x_2 at [4]) : tensor<8xf32>
// CHECK: %x_3 = loop.stage copy_x [d0: 4] (%2 = %x[d0]) -> [d0] {
// CHECK: loop.yield %2 : f32
// CHECK: func.return %x_3, %j : tensor<4xf32>, tensor<8xf32>
