// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<?x?xf32, #nd.sym<b, s>>) {
  // CHECK: %0 = nd.size [2*b - 1, s] : tensor<f32>
  %0 = nd.size [2*b - 1, s] : tensor<f32>
  // CHECK: %1 = nd.size [7] : tensor<i64>
  %1 = nd.size [7] : tensor<i64>
  func.return
}

// -----

func.func @wrong() {
  // expected-error@+1 {{expected a result of rank 0, found tensor<2xf32>}}
  %0 = nd.size [b] : tensor<2xf32>
  func.return
}
