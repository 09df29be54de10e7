// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2x3x4xf32>, %s: tensor<4xf32>) {
  // CHECK: %0 = nd.batch_norm %x, %s, %s, %s, %s "a b c, c, c, c, c -> a b c" eps 1.0e-05 : (tensor<2x3x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x3x4xf32>
  %0 = nd.batch_norm %x, %s, %s, %s, %s "a b c, c, c, c, c -> a b c" eps 1.0e-05 : (tensor<2x3x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x3x4xf32>
  func.return
}

// -----

func.func @types(%x: tensor<2x4xf32>, %s: tensor<4xf64>) {
  // expected-error@+1 {{expected operands of one element type, found f32 and f64 (operand 1)}}
  %0 = nd.batch_norm %x, %s, %s, %s, %s "a c, c, c, c, c -> a c" eps 1.0e-05 : (tensor<2x4xf32>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>) -> tensor<2x4xf32>
  func.return
}
