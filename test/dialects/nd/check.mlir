// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%p: tensor<i1>, %q: tensor<?x4xi1, #nd.sym<n>>) {
  // CHECK: nd.check %p "p" : tensor<i1>
  nd.check %p "p" : tensor<i1>
  // CHECK: nd.check %q "all of q" : tensor<?x4xi1, #nd.sym<n>>
  nd.check %q "all of q" : tensor<?x4xi1, #nd.sym<n>>
  func.return
}

// -----

func.func @wrong(%p: tensor<i64>) {
  // expected-error@+1 {{nd.check: expected a tensor of i1, found tensor<i64>}}
  nd.check %p "p" : tensor<i64>
  func.return
}
