// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2x3xf32>, %g: tensor<3xf32>, %y: tensor<?x2x3x4xf64, #nd.sym<b>>, %h: tensor<3x4xf64>) {
  // CHECK: %0 = nd.layer_norm %x, %g, %g "a b, b, b -> a b" over [1] eps 1.0e-05 : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %0 = nd.layer_norm %x, %g, %g "a b, b, b -> a b" over [1] eps 1.0e-05 : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: nd.layer_norm %y, %h, %h "a b c d, c d, c d -> a b c d" over [1, 3] eps 0.001
  %1 = nd.layer_norm %y, %h, %h "a b c d, c d, c d -> a b c d" over [1, 3] eps 0.001 : (tensor<?x2x3x4xf64, #nd.sym<b>>, tensor<3x4xf64>, tensor<3x4xf64>) -> tensor<?x2x3x4xf64, #nd.sym<b>>
  func.return
}

// -----

func.func @size(%x: tensor<2x3xf32>, %g: tensor<4xf32>) {
  // expected-error@+1 {{operand 1, dimension 0: expected size 3 of "b" in "a b, b, b -> a b", found 4}}
  %0 = nd.layer_norm %x, %g, %g "a b, b, b -> a b" over [1] eps 1.0e-05 : (tensor<2x3xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x3xf32>
  func.return
}

// -----

func.func @over(%x: tensor<2x3xf32>, %g: tensor<3xf32>) {
  // expected-error@+1 {{expected increasing dimensions of tensor<2x3xf32> in `over`, found [2]}}
  %0 = nd.layer_norm %x, %g, %g "a b, b, b -> a b" over [2] eps 1.0e-05 : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  func.return
}

// -----

func.func @map(%x: tensor<2x3xf32>, %g: tensor<3xf32>) {
  // expected-error@+1 {{expected x, then operands with some of its dimensions, and a result like x}}
  %0 = nd.layer_norm %x, %g, %g "a b, b, b -> b a" over [1] eps 1.0e-05 : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3x2xf32>
  func.return
}
