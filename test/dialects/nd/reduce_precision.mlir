// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x0: tensor<2x3xf32>, %x1: tensor<?x4xf64, #nd.sym<b>>, %x2: tensor<f16>, %x3: tensor<0xbf16>) {
  // CHECK: %0 = nd.reduce_precision %x0 e5m10 : tensor<2x3xf32>
  %0 = nd.reduce_precision %x0 e5m10 : tensor<2x3xf32>
  // CHECK: %1 = nd.reduce_precision %x1 e5m10 : tensor<?x4xf64, #nd.sym<b>>
  %1 = nd.reduce_precision %x1 e5m10 : tensor<?x4xf64, #nd.sym<b>>
  // CHECK: %2 = nd.reduce_precision %x2 e5m10 : tensor<f16>
  %2 = nd.reduce_precision %x2 e5m10 : tensor<f16>
  // CHECK: %3 = nd.reduce_precision %x3 e5m10 : tensor<0xbf16>
  %3 = nd.reduce_precision %x3 e5m10 : tensor<0xbf16>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xi32>) {
  // expected-error@+1 {{found tensor<2xi32>; convert it first}}
  %0 = nd.reduce_precision %x e5m10 : tensor<2xi32>
  func.return
}

// -----

func.func @format(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected a float format of at least one bit of exponent, found #nd.formate0m10}}
  %0 = nd.reduce_precision %x e0m10 : tensor<2xf32>
  func.return
}

// -----

func.func @text(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected a float format such as e5m10, found f16}}
  %0 = nd.reduce_precision %x f16 : tensor<2xf32>
  func.return
}
