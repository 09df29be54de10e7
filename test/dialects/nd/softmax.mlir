// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2x3xf32>, %y: tensor<?x4xf64, #nd.sym<b>>, %z: tensor<2x0xf32>) {
  // CHECK: %0 = nd.softmax %x : tensor<2x3xf32>
  %0 = nd.softmax %x : tensor<2x3xf32>
  // CHECK: %1 = nd.softmax %y : tensor<?x4xf64, #nd.sym<b>>
  %1 = nd.softmax %y : tensor<?x4xf64, #nd.sym<b>>
  // CHECK: %2 = nd.softmax %z : tensor<2x0xf32>
  %2 = nd.softmax %z : tensor<2x0xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<f32>) {
  // expected-error@+1 {{expected at least one dimension, found tensor<f32>}}
  %0 = nd.softmax %x : tensor<f32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xi32>) {
  // expected-error@+1 {{expected elements of a float type (f16, bf16, f32 or f64), found tensor<2xi32>; convert it first}}
  %0 = nd.softmax %x : tensor<2xi32>
  func.return
}
