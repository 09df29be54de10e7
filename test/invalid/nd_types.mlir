// Operands and results of the wrong type.
// RUN: not mlc-opt %s --split-input-file 2>&1 | FileCheck %s

// CHECK: nd_types.mlir:8:3: error: nd.add: expected operands of one type, found tensor<2xf32> and tensor<3xf32> (operand 1)
// CHECK-NEXT: %0 = "nd.add"(%x, %y) : (tensor<2xf32>, tensor<3xf32>) -> tensor<2xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = "nd.add"(%x, %y) : (tensor<2xf32>, tensor<3xf32>) -> tensor<2xf32>
  func.return %0 : tensor<2xf32>
}

// -----

// CHECK: nd_types.mlir:18:3: error: nd.mul: expected operands of one type, found tensor<2xf32> and tensor<2xf64> (operand 1)
// CHECK-NEXT: %0 = "nd.mul"(%x, %y) : (tensor<2xf32>, tensor<2xf64>) -> tensor<2xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2xf32>, %y: tensor<2xf64>) -> tensor<2xf32> {
  %0 = "nd.mul"(%x, %y) : (tensor<2xf32>, tensor<2xf64>) -> tensor<2xf32>
  func.return %0 : tensor<2xf32>
}

// -----

// CHECK: nd_types.mlir:28:3: error: nd.exp: expected elements of a float or complex type (f16, bf16, f32, f64, complex<f32> or complex<f64>), found tensor<2xi32>; convert it first
// CHECK-NEXT: %0 = nd.exp %x : tensor<2xi32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2xi32>) -> tensor<2xi32> {
  %0 = nd.exp %x : tensor<2xi32>
  func.return %0 : tensor<2xi32>
}

// -----

// CHECK: nd_types.mlir:38:3: error: nd.not: expected elements of i1 or an integer type (i8 to i64 or ui8 to ui64), found tensor<2xf32>; convert it first
// CHECK-NEXT: %0 = nd.not %x : tensor<2xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = nd.not %x : tensor<2xf32>
  func.return %0 : tensor<2xf32>
}

// -----

// CHECK: nd_types.mlir:48:3: error: expected a tensor, found f32
// CHECK-NEXT: %0 = nd.neg %x : f32
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: f32) -> f32 {
  %0 = nd.neg %x : f32
  func.return %0 : f32
}

// -----

// CHECK: nd_types.mlir:58:3: error: nd.neg: expected elements of a number or complex type (f16, bf16, f32, f64, i8 to i64, ui8 to ui64, complex<f32> or complex<f64>), found tensor<2xf8E5M2>; convert it first
// CHECK-NEXT: %0 = nd.neg %x : tensor<2xf8E5M2>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2xf8E5M2>) -> tensor<2xf8E5M2> {
  %0 = nd.neg %x : tensor<2xf8E5M2>
  func.return %0 : tensor<2xf8E5M2>
}

// -----

// CHECK: nd_types.mlir:68:3: error: nd.compare: expected result type tensor<2xi1>, found tensor<2xf32>
// CHECK-NEXT: %0 = nd.compare gt %x, %y : tensor<2xf32> -> tensor<2xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {
  %0 = nd.compare gt %x, %y : tensor<2xf32> -> tensor<2xf32>
  func.return %0 : tensor<2xf32>
}

// -----

// CHECK: nd_types.mlir:78:19: error: expected `eq`, `ne`, `lt`, `le`, `gt`, or `ge`, found 'above'
// CHECK-NEXT: %0 = nd.compare above %x, %y : tensor<2xf32> -> tensor<2xi1>
// CHECK-NEXT: {{^ {20}\^$}}
func.func @main(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xi1> {
  %0 = nd.compare above %x, %y : tensor<2xf32> -> tensor<2xi1>
  func.return %0 : tensor<2xi1>
}

// -----

// CHECK: nd_types.mlir:88:3: error: nd.select: expected a predicate of type tensor<2xi1>, found tensor<2xf32>
// CHECK-NEXT: %0 = "nd.select"(%c, %x, %x) : (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%c: tensor<2xf32>, %x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = "nd.select"(%c, %x, %x) : (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %0 : tensor<2xf32>
}

// -----

// CHECK: nd_types.mlir:98:3: error: expected a tensor, found tensor<*xf32>
// CHECK-NEXT: %0 = nd.neg %x : tensor<*xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<*xf32>) -> tensor<*xf32> {
  %0 = nd.neg %x : tensor<*xf32>
  func.return %0 : tensor<*xf32>
}
