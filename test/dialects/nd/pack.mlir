// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<4x16xi4>) {
  // CHECK: %0 = nd.pack %x : tensor<4x16xi4> -> tensor<4x8xui8>
  %0 = nd.pack %x : tensor<4x16xi4> -> tensor<4x8xui8>
  func.return
}

// -----

func.func @odd(%x: tensor<4x15xi4>) {
  // expected-error@+1 {{expected an even number of elements in the last dimension, found tensor<4x15xi4>}}
  %0 = nd.pack %x : tensor<4x15xi4> -> tensor<4x8xui8>
  func.return
}
