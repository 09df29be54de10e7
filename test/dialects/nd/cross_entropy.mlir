// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<?x4xf32, #nd.sym<b>>, %y: tensor<4xf64>) {
  // CHECK: %0 = nd.cross_entropy %x, %x : (tensor<?x4xf32, #nd.sym<b>>, tensor<?x4xf32, #nd.sym<b>>) -> tensor<?xf32, #nd.sym<b>>
  %0 = nd.cross_entropy %x, %x : (tensor<?x4xf32, #nd.sym<b>>, tensor<?x4xf32, #nd.sym<b>>) -> tensor<?xf32, #nd.sym<b>>
  // CHECK: %1 = nd.cross_entropy %y, %y : (tensor<4xf64>, tensor<4xf64>) -> tensor<f64>
  %1 = nd.cross_entropy %y, %y : (tensor<4xf64>, tensor<4xf64>) -> tensor<f64>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x4xf32>, %y: tensor<2xi64>) {
  // expected-error@+1 {{operand 1: expected rank 2 for "a b, a b -> a", found 1}}
  %0 = nd.cross_entropy %x, %y : (tensor<2x4xf32>, tensor<2xi64>) -> tensor<2xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x4xf32>, %y: tensor<2x5xf32>) {
  // expected-error@+1 {{operand 1, dimension 1: expected size 4 of "b" in "a b, a b -> a", found 5}}
  %0 = nd.cross_entropy %x, %y : (tensor<2x4xf32>, tensor<2x5xf32>) -> tensor<2xf32>
  func.return
}
