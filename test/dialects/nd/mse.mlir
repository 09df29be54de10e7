// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2x3xf32>, %y: tensor<?x3xf64, #nd.sym<b>>) {
  // CHECK: %0 = nd.mse %x, %x "a b, a b -> " : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<f32>
  %0 = nd.mse %x, %x "a b, a b -> " : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<f32>
  // CHECK: %1 = nd.mse %y, %y "a b, a b -> a" : (tensor<?x3xf64, #nd.sym<b>>, tensor<?x3xf64, #nd.sym<b>>) -> tensor<?xf64, #nd.sym<b>>
  %1 = nd.mse %y, %y "a b, a b -> a" : (tensor<?x3xf64, #nd.sym<b>>, tensor<?x3xf64, #nd.sym<b>>) -> tensor<?xf64, #nd.sym<b>>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>, %y: tensor<2x4xf32>) {
  // expected-error@+1 {{operand 1, dimension 1: expected size 3 of "b" in "a b, a b -> ", found 4}}
  %0 = nd.mse %x, %y "a b, a b -> " : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<f32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expected two operands of one shape and a result of some of it}}
  %0 = nd.mse %x, %x "a b, b a -> " : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<f32>
  func.return
}
