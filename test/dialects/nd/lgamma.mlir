// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x0: tensor<2x3xf32>, %x1: tensor<?x4xf64, #nd.sym<b>>, %x2: tensor<f16>, %x3: tensor<0xbf16>) {
  // CHECK: %0 = nd.lgamma %x0 : tensor<2x3xf32>
  %0 = nd.lgamma %x0 : tensor<2x3xf32>
  // CHECK: %1 = nd.lgamma %x1 : tensor<?x4xf64, #nd.sym<b>>
  %1 = nd.lgamma %x1 : tensor<?x4xf64, #nd.sym<b>>
  // CHECK: %2 = nd.lgamma %x2 : tensor<f16>
  %2 = nd.lgamma %x2 : tensor<f16>
  // CHECK: %3 = nd.lgamma %x3 : tensor<0xbf16>
  %3 = nd.lgamma %x3 : tensor<0xbf16>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xi32>) {
  // expected-error@+1 {{found tensor<2xi32>; convert it first}}
  %0 = nd.lgamma %x : tensor<2xi32>
  func.return
}
