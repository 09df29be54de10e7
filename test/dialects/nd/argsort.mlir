// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2x3xf32>, %p: tensor<?x3xi1, #nd.sym<b>>) {
  // CHECK: %0 = nd.argsort %x along [1] : (tensor<2x3xf32>) -> tensor<2x3xi64>
  %0 = nd.argsort %x along [1] : (tensor<2x3xf32>) -> tensor<2x3xi64>
  // CHECK: %1 = nd.argsort %p along [0] descending : (tensor<?x3xi1, #nd.sym<b>>) -> tensor<?x3xi64, #nd.sym<b>>
  %1 = nd.argsort %p along [0] descending : (tensor<?x3xi1, #nd.sym<b>>) -> tensor<?x3xi64, #nd.sym<b>>
  func.return
}

// -----

func.func @wrong(%x: tensor<3xf32>) {
  // expected-error@+1 {{expected one dimension of tensor<3xf32> in `along`, found [1]}}
  %0 = nd.argsort %x along [1] : (tensor<3xf32>) -> tensor<3xi64>
  func.return
}

// -----

func.func @wrong(%x: tensor<3xf32>) {
  // expected-error@+1 {{expected result type tensor<3xi64>, found tensor<3xi32>}}
  %0 = nd.argsort %x along [0] : (tensor<3xf32>) -> tensor<3xi32>
  func.return
}
