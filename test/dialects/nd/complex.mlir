// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x0: tensor<2x3xf32>, %y0: tensor<2x3xf32>, %x1: tensor<?x4xf64, #nd.sym<b>>, %y1: tensor<?x4xf64, #nd.sym<b>>) {
  // CHECK: %0 = nd.complex %x0, %y0 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xcomplex<f32>>
  %0 = nd.complex %x0, %y0 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xcomplex<f32>>
  // CHECK: %1 = nd.complex %x1, %y1 : (tensor<?x4xf64, #nd.sym<b>>, tensor<?x4xf64, #nd.sym<b>>) -> tensor<?x4xcomplex<f64>, #nd.sym<b>>
  %1 = nd.complex %x1, %y1 : (tensor<?x4xf64, #nd.sym<b>>, tensor<?x4xf64, #nd.sym<b>>) -> tensor<?x4xcomplex<f64>, #nd.sym<b>>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xi32>, %y: tensor<2xi32>) {
  // expected-error@+1 {{found tensor<2xi32>; convert it first}}
  %0 = nd.complex %x, %y : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xcomplex<f32>>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>, %y: tensor<3xf32>) {
  // expected-error@+1 {{expected operands of one type, found tensor<2xf32> and tensor<3xf32> (operand 1)}}
  %0 = "nd.complex"(%x, %y) : (tensor<2xf32>, tensor<3xf32>) -> tensor<2xcomplex<f32>>
  func.return
}
