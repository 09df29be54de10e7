// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2x3xf32>, %y: tensor<?x3xi32, #nd.sym<b>>, %z: tensor<0x3xf64>) {
  // CHECK: %0 = nd.argmin %x "a b -> a" : (tensor<2x3xf32>) -> tensor<2xi64>
  %0 = nd.argmin %x "a b -> a" : (tensor<2x3xf32>) -> tensor<2xi64>
  // CHECK: %1 = nd.argmin %y "a b -> b" : (tensor<?x3xi32, #nd.sym<b>>) -> tensor<3xi64>
  %1 = nd.argmin %y "a b -> b" : (tensor<?x3xi32, #nd.sym<b>>) -> tensor<3xi64>
  // CHECK: %2 = nd.argmin %z "a b -> a" : (tensor<0x3xf64>) -> tensor<0xi64>
  %2 = nd.argmin %z "a b -> a" : (tensor<0x3xf64>) -> tensor<0xi64>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x0xf32>) {
  // expected-error@+1 {{expected at least one element in dimension 1 of tensor<2x0xf32>, found none}}
  %0 = nd.argmin %x "a b -> a" : (tensor<2x0xf32>) -> tensor<2xi64>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expected a reduction of one dimension such as}}
  %0 = nd.argmin %x "a b -> " : (tensor<2x3xf32>) -> tensor<i64>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expected result type tensor<2xi64>, found tensor<2xi32>}}
  %0 = nd.argmin %x "a b -> a" : (tensor<2x3xf32>) -> tensor<2xi32>
  func.return
}
