// Shapes, slices, dimensions and constants that do not fit.
// RUN: not mlc-opt %s --split-input-file 2>&1 | FileCheck %s

// CHECK: nd_movement.mlir:8:3: error: nd.reshape: expected 6 elements as in tensor<6xf32>, found 8 in tensor<2x4xf32>
// CHECK-NEXT: %0 = nd.reshape %x : tensor<6xf32> -> tensor<2x4xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<6xf32>) -> tensor<2x4xf32> {
  %0 = nd.reshape %x : tensor<6xf32> -> tensor<2x4xf32>
  func.return %0 : tensor<2x4xf32>
}

// -----

// CHECK: nd_movement.mlir:18:3: error: nd.slice: dimension 0: expected indices from 0 to 5, found 5 to 6
// CHECK-NEXT: %0 = nd.slice %x from [5] step [1] : tensor<6xf32> -> tensor<2xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<6xf32>) -> tensor<2xf32> {
  %0 = nd.slice %x from [5] step [1] : tensor<6xf32> -> tensor<2xf32>
  func.return %0 : tensor<2xf32>
}

// -----

// CHECK: nd_movement.mlir:28:3: error: nd.concat: operand 1, dimension 1: expected size 3 of "b" in "* b, * b -> * b", found 4
// CHECK-NEXT: %0 = nd.concat %x, %y along [0] : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2x3xf32>, %y: tensor<2x4xf32>) -> tensor<4x3xf32> {
  %0 = nd.concat %x, %y along [0] : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
  func.return %0 : tensor<4x3xf32>
}

// -----

// CHECK: nd_movement.mlir:38:3: error: nd.reverse: expected different dimensions from 0 to 1, found (2,)
// CHECK-NEXT: %0 = nd.reverse %x [2] : tensor<2x3xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = nd.reverse %x [2] : tensor<2x3xf32>
  func.return %0 : tensor<2x3xf32>
}

// -----

// CHECK: nd_movement.mlir:48:3: error: nd.convert: expected result type tensor<4xi64>, found tensor<4xi32>
// CHECK-NEXT: %0 = nd.convert %x to i64 : tensor<4xf32> -> tensor<4xi32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<4xf32>) -> tensor<4xi32> {
  %0 = nd.convert %x to i64 : tensor<4xf32> -> tensor<4xi32>
  func.return %0 : tensor<4xi32>
}

// -----

// CHECK: nd_movement.mlir:58:3: error: nd.one_hot: expected elements of an integer type (i8 to i64 or ui8 to ui64), found tensor<4xf32>; convert it first
// CHECK-NEXT: %0 = nd.one_hot %y : tensor<4xf32> -> tensor<4x10xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%y: tensor<4xf32>) -> tensor<4x10xf32> {
  %0 = nd.one_hot %y : tensor<4xf32> -> tensor<4x10xf32>
  func.return %0 : tensor<4x10xf32>
}

// -----

// CHECK: nd_movement.mlir:68:20: error: nd.constant: expected data of shape [2], found [3]
// CHECK-NEXT: %0 = nd.constant [1.0, 2.0, 3.0] : tensor<2xf32>
// CHECK-NEXT: {{^ {21}\^$}}
func.func @main() -> tensor<2xf32> {
  %0 = nd.constant [1.0, 2.0, 3.0] : tensor<2xf32>
  func.return %0 : tensor<2xf32>
}
