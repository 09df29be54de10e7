// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%k: tensor<2x3xui32>, %c: tensor<2x3xui32>, %s: tensor<?xui32, #nd.sym<b>>) {
  // CHECK: %0 = nd.philox first %k, %k, %c, %c, %c, %c : tensor<2x3xui32>
  %0 = nd.philox first %k, %k, %c, %c, %c, %c : tensor<2x3xui32>
  // CHECK: %1 = nd.philox fourth %s, %s, %s, %s, %s, %s : tensor<?xui32, #nd.sym<b>>
  %1 = nd.philox fourth %s, %s, %s, %s, %s, %s : tensor<?xui32, #nd.sym<b>>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xi32>) {
  // expected-error@+1 {{found tensor<2xi32>; convert it first}}
  %0 = nd.philox second %x, %x, %x, %x, %x, %x : tensor<2xi32>
  func.return
}
