// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%p: tensor<2xi1>, %x: tensor<2xf32>, %q: tensor<?xi1, #nd.sym<b>>, %y: tensor<?xi64, #nd.sym<b>>) {
  // CHECK: %0 = nd.select %p, %x, %x : tensor<2xi1>, tensor<2xf32>
  %0 = nd.select %p, %x, %x : tensor<2xi1>, tensor<2xf32>
  // CHECK: %1 = nd.select %q, %y, %y : tensor<?xi1, #nd.sym<b>>, tensor<?xi64, #nd.sym<b>>
  %1 = nd.select %q, %y, %y : tensor<?xi1, #nd.sym<b>>, tensor<?xi64, #nd.sym<b>>
  func.return
}

// -----

func.func @wrong(%p: tensor<i1>, %x: tensor<2xf32>) {
  // expected-error@+1 {{expected a predicate of type tensor<2xi1>, found tensor<i1>}}
  %0 = nd.select %p, %x, %x : tensor<i1>, tensor<2xf32>
  func.return
}
