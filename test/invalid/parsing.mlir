// Text that is not MLIR.
// RUN: not mlc-opt %s --split-input-file 2>&1 | FileCheck %s

// CHECK: parsing.mlir:8:8: error: unknown operation arith.adf; did you mean arith.addf?
// CHECK-NEXT: %0 = arith.adf %x, %x : f32
// CHECK-NEXT: {{^ {9}\^$}}
func.func @main(%x: f32) -> f32 {
  %0 = arith.adf %x, %x : f32
  func.return %0 : f32
}

// -----

// CHECK: parsing.mlir:18:8: error: unknown dialect 'hlo' of operation hlo.add, expected one of affine, arith, builtin
// CHECK-NEXT: %0 = hlo.add %x, %x : f32
// CHECK-NEXT: {{^ {9}\^$}}
func.func @main(%x: f32) -> f32 {
  %0 = hlo.add %x, %x : f32
  func.return %0 : f32
}

// -----

// CHECK: parsing.mlir:28:23: error: expected a value that is defined, found %y
// CHECK-NEXT: %0 = arith.addf %x, %y : f32
// CHECK-NEXT: {{^ {24}\^$}}
func.func @main(%x: f32) -> f32 {
  %0 = arith.addf %x, %y : f32
  func.return %0 : f32
}

// -----

// CHECK: parsing.mlir:38:22: error: expected ',', found '%x'
// CHECK-NEXT: %0 = arith.addf %x %x : f32
// CHECK-NEXT: {{^ {23}\^$}}
func.func @main(%x: f32) -> f32 {
  %0 = arith.addf %x %x : f32
  func.return %0 : f32
}

// -----

// CHECK: parsing.mlir:48:3: error: expected a name that is not defined yet, found %x
// CHECK-NEXT: %x = arith.addf %x, %x : f32
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: f32) -> f32 {
  %x = arith.addf %x, %x : f32
  func.return %x : f32
}

// -----

// CHECK: parsing.mlir:57:21: error: expected type, found 'f23'
// CHECK-NEXT: func.func @main(%x: f23) -> f23 {
// CHECK-NEXT: {{^ {22}\^$}}
func.func @main(%x: f23) -> f23 {
  func.return %x : f23
}

// -----

// CHECK: parsing.mlir:66:31: error: expected 'x' in shape delimiter, found 'f32'
// CHECK-NEXT: func.func @main(%x: tensor<2x3f32>) {
// CHECK-NEXT: {{^ {32}\^$}}
func.func @main(%x: tensor<2x3f32>) {
  func.return
}

// -----

// CHECK: parsing.mlir:75:33: error: expected '>' after builtin parameter list, found ')'
// CHECK-NEXT: func.func @main(%x: tensor<2xf32) {
// CHECK-NEXT: {{^ {34}\^$}}
func.func @main(%x: tensor<2xf32) {
  func.return
}

// -----

// CHECK: parsing.mlir:85:23: error: expected a block's label, found the end of the input
// CHECK-NEXT: func.return %x : f32
// CHECK-NEXT: {{^ {24}\^$}}
func.func @main(%x: f32) -> f32 {
  func.return %x : f32

// -----

// CHECK: parsing.mlir:93:9: error: expected a block with this label, found none
// CHECK-NEXT: cf.br ^next
// CHECK-NEXT: {{^ {10}\^$}}
func.func @main(%x: f32) -> f32 {
  cf.br ^next
}

// -----

// CHECK: parsing.mlir:102:3: error: expected names for 1 results, found 2
// CHECK-NEXT: %0:2 = "test.op"(%x) : (f32) -> f32
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: f32) {
  %0:2 = "test.op"(%x) : (f32) -> f32
  func.return
}

// -----

// CHECK: parsing.mlir:112:19: error: expected %x with the type of its definition, f32, found f64
// CHECK-NEXT: %0 = arith.addf %x, %x : f64
// CHECK-NEXT: {{^ {20}\^$}}
func.func @main(%x: f32) -> f32 {
  %0 = arith.addf %x, %x : f64
  func.return %x : f32
}

// -----

// CHECK: parsing.mlir:125:1: error: expected a label that is not defined yet, found ^a
// CHECK-NEXT: ^a:
// CHECK-NEXT: {{^ {2}\^$}}
func.func @main(%x: i1) {
  cf.cond_br %x, ^a, ^a
^a:
  func.return
^a:
  func.return
}
