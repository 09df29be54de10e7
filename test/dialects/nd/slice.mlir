// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<4x8xf32>, %y: tensor<?xf32, #nd.sym<b>>, %z: tensor<0xi1>) {
  // CHECK: %0 = nd.slice %x from [0, 6] step [1, -2] : tensor<4x8xf32> -> tensor<4x3xf32>
  %0 = nd.slice %x from [0, 6] step [1, -2] : tensor<4x8xf32> -> tensor<4x3xf32>
  // CHECK: %1 = nd.slice %y from [b - 1] step [-1] : tensor<?xf32, #nd.sym<b>> -> tensor<?xf32, #nd.sym<b - 1>>
  %1 = nd.slice %y from [b - 1] step [-1] : tensor<?xf32, #nd.sym<b>> -> tensor<?xf32, #nd.sym<b - 1>>
  // CHECK: %2 = nd.slice %z from [0] step [1] : tensor<0xi1> -> tensor<0xi1>
  %2 = nd.slice %z from [0] step [1] : tensor<0xi1> -> tensor<0xi1>
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{dimension 0: expected indices from 0 to 3, found 1 to 5}}
  %0 = nd.slice %x from [1] step [2] : tensor<4xf32> -> tensor<3xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{dimension 0: expected a step that is a number other than 0, found 0}}
  %0 = nd.slice %x from [0] step [0] : tensor<4xf32> -> tensor<3xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{expected 1 numbers in `start`, one for each dimension, found (0, 1)}}
  %0 = nd.slice %x from [0, 1] step [1] : tensor<4xf32> -> tensor<3xf32>
  func.return
}
