// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2x3xf32>, %p: tensor<?x3xi1, #nd.sym<b>>) {
  // CHECK: %0 = nd.sort %x along [1] : tensor<2x3xf32>
  %0 = nd.sort %x along [1] : tensor<2x3xf32>
  // CHECK: %1 = nd.sort %p along [0] descending : tensor<?x3xi1, #nd.sym<b>>
  %1 = nd.sort %p along [0] descending : tensor<?x3xi1, #nd.sym<b>>
  func.return
}

// -----

func.func @wrong(%x: tensor<3xf32>) {
  // expected-error@+1 {{expected one dimension of tensor<3xf32> in `along`, found [1]}}
  %0 = nd.sort %x along [1] : tensor<3xf32>
  func.return
}
