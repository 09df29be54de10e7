// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x0: tensor<2x3xcomplex<f32>>, %x1: tensor<?xcomplex<f64>, #nd.sym<b>>) {
  // CHECK: %0 = nd.real %x0 : (tensor<2x3xcomplex<f32>>) -> tensor<2x3xf32>
  %0 = nd.real %x0 : (tensor<2x3xcomplex<f32>>) -> tensor<2x3xf32>
  // CHECK: %1 = nd.real %x1 : (tensor<?xcomplex<f64>, #nd.sym<b>>) -> tensor<?xf64, #nd.sym<b>>
  %1 = nd.real %x1 : (tensor<?xcomplex<f64>, #nd.sym<b>>) -> tensor<?xf64, #nd.sym<b>>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected elements of a complex type (complex<f32> or complex<f64>), found tensor<2xf32>; convert it first}}
  %0 = nd.real %x : (tensor<2xf32>) -> tensor<2xf32>
  func.return
}
