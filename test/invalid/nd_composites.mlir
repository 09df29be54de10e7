// Composite ops.
// RUN: not mlc-opt %s --split-input-file 2>&1 | FileCheck %s

// CHECK: nd_composites.mlir:8:3: error: nd.cross_entropy: operand 1, dimension 1: expected size 3 of "b" in "a b, a b -> a", found 4
// CHECK-NEXT: %0 = nd.cross_entropy %x, %t : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2x3xf32>, %t: tensor<2x4xf32>) -> tensor<2xf32> {
  %0 = nd.cross_entropy %x, %t : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2xf32>
  func.return %0 : tensor<2xf32>
}

// -----

// CHECK: nd_composites.mlir:18:3: error: nd.softmax: expected elements of a float type (f16, bf16, f32 or f64), found tensor<2x3xi32>; convert it first
// CHECK-NEXT: %0 = nd.softmax %x : tensor<2x3xi32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2x3xi32>) -> tensor<2x3xi32> {
  %0 = nd.softmax %x : tensor<2x3xi32>
  func.return %0 : tensor<2x3xi32>
}

// -----

// CHECK: nd_composites.mlir:28:3: error: nd.mean: expected result type tensor<2xf32>, found tensor<3xf32>
// CHECK-NEXT: %0 = nd.mean %x "a b -> a" : (tensor<2x3xf32>) -> tensor<3xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2x3xf32>) -> tensor<3xf32> {
  %0 = nd.mean %x "a b -> a" : (tensor<2x3xf32>) -> tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// -----

// CHECK: nd_composites.mlir:38:3: error: nd.mse: operand 1, dimension 0: expected size 2 of "a" in "a, a -> ", found 3
// CHECK-NEXT: %0 = nd.mse %x, %y "a, a -> " : (tensor<2xf32>, tensor<3xf32>) -> tensor<f32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<f32> {
  %0 = nd.mse %x, %y "a, a -> " : (tensor<2xf32>, tensor<3xf32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}
