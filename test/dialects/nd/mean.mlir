// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2x3xf32>, %y: tensor<?x3xf64, #nd.sym<b>>) {
  // CHECK: %0 = nd.mean %x "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
  %0 = nd.mean %x "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
  // CHECK: %1 = nd.mean %y "a b -> " : (tensor<?x3xf64, #nd.sym<b>>) -> tensor<f64>
  %1 = nd.mean %y "a b -> " : (tensor<?x3xf64, #nd.sym<b>>) -> tensor<f64>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xi32>) {
  // expected-error@+1 {{expected elements of a float or complex type (f16, bf16, f32, f64, complex<f32> or complex<f64>), found tensor<2x3xi32>; convert it first}}
  %0 = nd.mean %x "a b -> a" : (tensor<2x3xi32>) -> tensor<2xi32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expected result type tensor<3xf32>, found tensor<2xf32>}}
  %0 = nd.mean %x "a b -> b" : (tensor<2x3xf32>) -> tensor<2xf32>
  func.return
}
