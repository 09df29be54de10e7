// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%a: tensor<3x3xf32>, %b: tensor<3x2xf32>, %c: tensor<2x3xf32>, %d: tensor<?x4x4xf64, #nd.sym<n>>, %e: tensor<?x4x1xf64, #nd.sym<n>>) {
  // CHECK: %0 = nd.triangular_solve %a, %b lower transpose : tensor<3x3xf32>, tensor<3x2xf32>
  %0 = nd.triangular_solve %a, %b lower transpose : tensor<3x3xf32>, tensor<3x2xf32>
  // CHECK: %1 = nd.triangular_solve %a, %c right unit : tensor<3x3xf32>, tensor<2x3xf32>
  %1 = nd.triangular_solve %a, %c right unit : tensor<3x3xf32>, tensor<2x3xf32>
  // CHECK: %2 = nd.triangular_solve %d, %e : tensor<?x4x4xf64, #nd.sym<n>>, tensor<?x4x1xf64, #nd.sym<n>>
  %2 = nd.triangular_solve %d, %e : tensor<?x4x4xf64, #nd.sym<n>>, tensor<?x4x1xf64, #nd.sym<n>>
  func.return
}

// -----

func.func @wrong(%a: tensor<3x3xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+1 {{expected a right-hand side of 3 rows with the leading dimensions of tensor<3x3xf32>, found tensor<2x3xf32>}}
  %0 = nd.triangular_solve %a, %b lower : tensor<3x3xf32>, tensor<2x3xf32>
  func.return
}

// -----

func.func @wrong(%a: tensor<3x2xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+1 {{expected square matrices [..., n, n], found tensor<3x2xf32>}}
  %0 = nd.triangular_solve %a, %b : tensor<3x2xf32>, tensor<2x3xf32>
  func.return
}

// -----

func.func @wrong(%a: tensor<2x2xf32>, %b: tensor<2x3xf64>) {
  // expected-error@+1 {{expected operands of one element type}}
  %0 = nd.triangular_solve %a, %b : tensor<2x2xf32>, tensor<2x3xf64>
  func.return
}

// -----

func.func @wrong(%a: tensor<2x2xf16>, %b: tensor<2x3xf16>) {
  // expected-error@+1 {{found tensor<2x2xf16>; convert it first}}
  %0 = nd.triangular_solve %a, %b : tensor<2x2xf16>, tensor<2x3xf16>
  func.return
}
