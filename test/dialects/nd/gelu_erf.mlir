// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x0: tensor<2x3xf32>, %x1: tensor<?x4xf64, #nd.sym<b>>, %x2: tensor<f32>, %x3: tensor<0xf64>) {
  // CHECK: %0 = nd.gelu_erf %x0 : tensor<2x3xf32>
  %0 = nd.gelu_erf %x0 : tensor<2x3xf32>
  // CHECK: %1 = nd.gelu_erf %x1 : tensor<?x4xf64, #nd.sym<b>>
  %1 = nd.gelu_erf %x1 : tensor<?x4xf64, #nd.sym<b>>
  // CHECK: %2 = nd.gelu_erf %x2 : tensor<f32>
  %2 = nd.gelu_erf %x2 : tensor<f32>
  // CHECK: %3 = nd.gelu_erf %x3 : tensor<0xf64>
  %3 = nd.gelu_erf %x3 : tensor<0xf64>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xi32>) {
  // expected-error@+1 {{expected elements of a float type (f16, bf16, f32 or f64), found tensor<2xi32>; convert it first}}
  %0 = nd.gelu_erf %x : tensor<2xi32>
  func.return
}
