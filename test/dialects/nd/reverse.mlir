// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<4x8xf32>, %y: tensor<?xi64, #nd.sym<b>>) {
  // CHECK: %0 = nd.reverse %x [1] : tensor<4x8xf32>
  %0 = nd.reverse %x [1] : tensor<4x8xf32>
  // CHECK: %1 = nd.reverse %y [0] : tensor<?xi64, #nd.sym<b>>
  %1 = nd.reverse %y [0] : tensor<?xi64, #nd.sym<b>>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected different dimensions from 0 to 1, found (2,)}}
  %0 = nd.reverse %x [2] : tensor<4x8xf32>
  func.return
}
