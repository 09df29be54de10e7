// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%k: tensor<8xui32>, %c: tensor<8xui32>) {
  // CHECK: %0 = nd.threefry mixed %k, %k, %c, %c : tensor<8xui32>
  %0 = nd.threefry mixed %k, %k, %c, %c : tensor<8xui32>
  // CHECK: %1 = nd.threefry second %k, %k, %c, %0 : tensor<8xui32>
  %1 = nd.threefry second %k, %k, %c, %0 : tensor<8xui32>
  func.return
}

// -----

func.func @wrong(%k: tensor<8xi32>) {
  // expected-error@+1 {{expected elements of ui32, found tensor<8xi32>; convert it first}}
  %0 = nd.threefry first %k, %k, %k, %k : tensor<8xi32>
  func.return
}
