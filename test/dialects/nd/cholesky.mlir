// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%a: tensor<3x3xf32>, %b: tensor<?x4x4xf64, #nd.sym<n>>, %c: tensor<0x0xf64>) {
  // CHECK: %0 = nd.cholesky %a : tensor<3x3xf32>
  %0 = nd.cholesky %a : tensor<3x3xf32>
  // CHECK: %1 = nd.cholesky %b upper : tensor<?x4x4xf64, #nd.sym<n>>
  %1 = nd.cholesky %b upper : tensor<?x4x4xf64, #nd.sym<n>>
  // CHECK: %2 = nd.cholesky %c : tensor<0x0xf64>
  %2 = nd.cholesky %c : tensor<0x0xf64>
  func.return
}

// -----

func.func @wrong(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{expected square matrices [..., n, n], found tensor<2x3xf32>}}
  %0 = nd.cholesky %a : tensor<2x3xf32>
  func.return
}

// -----

func.func @wrong(%a: tensor<2x2xi32>) {
  // expected-error@+1 {{found tensor<2x2xi32>; convert it first}}
  %0 = nd.cholesky %a : tensor<2x2xi32>
  func.return
}
