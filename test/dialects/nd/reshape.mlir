// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2x6xf32>, %y: tensor<?x4xf32, #nd.sym<b>>, %z: tensor<0x3xi1>) {
  // CHECK: %0 = nd.reshape %x : tensor<2x6xf32> -> tensor<3x4xf32>
  %0 = nd.reshape %x : tensor<2x6xf32> -> tensor<3x4xf32>
  // CHECK: %1 = nd.reshape %y : tensor<?x4xf32, #nd.sym<b>> -> tensor<?xf32, #nd.sym<4*b>>
  %1 = nd.reshape %y : tensor<?x4xf32, #nd.sym<b>> -> tensor<?xf32, #nd.sym<4*b>>
  // CHECK: %2 = nd.reshape %z : tensor<0x3xi1> -> tensor<7x0xi1>
  %2 = nd.reshape %z : tensor<0x3xi1> -> tensor<7x0xi1>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x6xf32>) {
  // expected-error@+1 {{expected 12 elements as in tensor<2x6xf32>, found 15 in tensor<3x5xf32>}}
  %0 = nd.reshape %x : tensor<2x6xf32> -> tensor<3x5xf32>
  func.return
}
