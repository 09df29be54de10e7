// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x0: tensor<2x3xi32>, %x1: tensor<?x4xi64, #nd.sym<b>>, %x2: tensor<i32>, %x3: tensor<0xi64>) {
  // CHECK: %0 = nd.count_leading_zeros %x0 : tensor<2x3xi32>
  %0 = nd.count_leading_zeros %x0 : tensor<2x3xi32>
  // CHECK: %1 = nd.count_leading_zeros %x1 : tensor<?x4xi64, #nd.sym<b>>
  %1 = nd.count_leading_zeros %x1 : tensor<?x4xi64, #nd.sym<b>>
  // CHECK: %2 = nd.count_leading_zeros %x2 : tensor<i32>
  %2 = nd.count_leading_zeros %x2 : tensor<i32>
  // CHECK: %3 = nd.count_leading_zeros %x3 : tensor<0xi64>
  %3 = nd.count_leading_zeros %x3 : tensor<0xi64>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>) {
  // expected-error@+1 {{found tensor<2xf32>; convert it first}}
  %0 = nd.count_leading_zeros %x : tensor<2xf32>
  func.return
}
