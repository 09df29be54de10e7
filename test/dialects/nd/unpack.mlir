// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<4x8xui8>) {
  // CHECK: %0 = nd.unpack %x to i4 : tensor<4x8xui8> -> tensor<4x16xi4>
  %0 = nd.unpack %x to i4 : tensor<4x8xui8> -> tensor<4x16xi4>
  func.return
}

// -----

func.func @type(%x: tensor<4x8xui8>) {
  // expected-error@+1 {{expected bytes in at least one dimension and i4, ui4 or f4E2M1FN to unpack to, found tensor<4x8xui8> and i8}}
  %0 = nd.unpack %x to i8 : tensor<4x8xui8> -> tensor<4x16xi8>
  func.return
}
