// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --mlir-print-op-generic | mlc-opt | FileCheck %s
// Pieces at constant offsets, a later one over an earlier: padding, also between the elements.

func.func @join(%x: tensor<3xf32>, %y: tensor<4xf32>) -> (tensor<7xf32>, tensor<8xf32>) {
  %zero = loop.stage zero [i: 8] () -> [i] {
    %z = arith.constant 0.0 : f32
    loop.yield %z : f32
  }
  %concat = loop.join (%x at [0], %y at [3]) : tensor<7xf32>
  %padded = loop.join (%zero at [0], %x at [2 * d0 + 1]) : tensor<8xf32>
  func.return %concat, %padded : tensor<7xf32>, tensor<8xf32>
}

// CHECK-LABEL: func.func @join(%x: tensor<3xf32>, %y: tensor<4xf32>) -> (tensor<7xf32>, tensor<8xf32>)
// CHECK: %zero = loop.stage zero [i: 8] () -> [i] {
// CHECK: %z = arith.constant 0.000000e+00 : f32
// CHECK: loop.yield %z : f32
// CHECK: %concat = loop.join (%x at [0], %y at [3]) : tensor<7xf32>
// CHECK: %padded = loop.join (%zero at [0], %x at [2 * d0 + 1]) : tensor<8xf32>
// CHECK: func.return %concat, %padded : tensor<7xf32>, tensor<8xf32>
