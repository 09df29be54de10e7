// Symbolic sizes.
// RUN: not mlc-opt %s --split-input-file 2>&1 | FileCheck %s

// CHECK: nd_symbols.mlir:7:17: error: %x: expected #nd.sym to name 1 dimensions, found 0 in tensor<?xf32>
// CHECK-NEXT: func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
// CHECK-NEXT: {{^ {18}\^$}}
func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  func.return %x : tensor<?xf32>
}

// -----

// CHECK: nd_symbols.mlir:16:17: error: %x: expected #nd.sym to name 0 dimensions, found 1 in tensor<2xf32, #nd.sym<b>>
// CHECK-NEXT: func.func @main(%x: tensor<2xf32, #nd.sym<b>>) {
// CHECK-NEXT: {{^ {18}\^$}}
func.func @main(%x: tensor<2xf32, #nd.sym<b>>) {
  func.return
}

// -----

// CHECK: nd_symbols.mlir:25:17: error: %x: expected #nd.sym to name 2 dimensions, found 1 in tensor<?x?xf32, #nd.sym<b>>
// CHECK-NEXT: func.func @main(%x: tensor<?x?xf32, #nd.sym<b>>) {
// CHECK-NEXT: {{^ {18}\^$}}
func.func @main(%x: tensor<?x?xf32, #nd.sym<b>>) {
  func.return
}

// -----

// CHECK: nd_symbols.mlir:34:45: error: expected an expression with a symbol, found 4: write the number into the shape
// CHECK-NEXT: func.func @main(%x: tensor<?xf32, #nd.sym<4>>) {
// CHECK-NEXT: {{^ {46}\^$}}
func.func @main(%x: tensor<?xf32, #nd.sym<4>>) {
  func.return
}

// -----

// CHECK: nd_symbols.mlir:43:45: error: expected a symbol or an integer, found '>'
// CHECK-NEXT: func.func @main(%x: tensor<?xf32, #nd.sym<2*>>) {
// CHECK-NEXT: {{^ {46}\^$}}
func.func @main(%x: tensor<?xf32, #nd.sym<2*>>) {
  func.return
}

// -----

// CHECK: nd_symbols.mlir:52:36: error: unknown type or attribute nd.sim
// CHECK-NEXT: func.func @main(%x: tensor<?xf32, #nd.sim<b>>) {
// CHECK-NEXT: {{^ {37}\^$}}
func.func @main(%x: tensor<?xf32, #nd.sim<b>>) {
  func.return
}

// -----

// CHECK: nd_symbols.mlir:62:3: error: nd.add: expected operands of one type, found tensor<?xf32, #nd.sym<b>> and tensor<?xf32, #nd.sym<c>> (operand 1)
// CHECK-NEXT: %0 = "nd.add"(%x, %y) : (tensor<?xf32, #nd.sym<b>>, tensor<?xf32, #nd.sym<c>>) -> tensor<?xf32, #nd.sym<b>>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<?xf32, #nd.sym<b>>, %y: tensor<?xf32, #nd.sym<c>>) -> tensor<?xf32, #nd.sym<b>> {
  %0 = "nd.add"(%x, %y) : (tensor<?xf32, #nd.sym<b>>, tensor<?xf32, #nd.sym<c>>) -> tensor<?xf32, #nd.sym<b>>
  func.return %0 : tensor<?xf32, #nd.sym<b>>
}

// -----

// CHECK: nd_symbols.mlir:72:3: error: nd.reshape: expected 3*b elements as in tensor<?x3xf32, #nd.sym<b>>, found 4*b in tensor<?xf32, #nd.sym<4*b>>
// CHECK-NEXT: %0 = nd.reshape %x : tensor<?x3xf32, #nd.sym<b>> -> tensor<?xf32, #nd.sym<4*b>>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<?x3xf32, #nd.sym<b>>) -> tensor<?xf32, #nd.sym<4*b>> {
  %0 = nd.reshape %x : tensor<?x3xf32, #nd.sym<b>> -> tensor<?xf32, #nd.sym<4*b>>
  func.return %0 : tensor<?xf32, #nd.sym<4*b>>
}

// -----

// CHECK: nd_symbols.mlir:81:57: error: expected a positive divisor, found 0
// CHECK-NEXT: func.func @main(%x: tensor<?x4xf32, #nd.sym<b floordiv 0>>) {
// CHECK-NEXT: {{^ {58}\^$}}
func.func @main(%x: tensor<?x4xf32, #nd.sym<b floordiv 0>>) {
  func.return
}
