// Functions, blocks and values that do not fit.
// RUN: not mlc-opt %s --split-input-file 2>&1 | FileCheck %s

// CHECK: structure.mlir:8:3: error: arith.addf: expected operands that are defined before their use, found operand 0
// CHECK-NEXT: %0 = arith.addf %1, %x : f32
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: f32) -> f32 {
  %0 = arith.addf %1, %x : f32
  %1 = arith.addf %x, %x : f32
  func.return %0 : f32
}

// -----

// CHECK: structure.mlir:24:3: error: func.return: expected operands that are defined before their use, found operand 0
// CHECK-NEXT: func.return %0 : f32
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: f32, %c: i1) -> f32 {
  cf.cond_br %c, ^a, ^b
^a:
  %0 = arith.addf %x, %x : f32
  cf.br ^b
^b:
  func.return %0 : f32
}

// -----

// CHECK: structure.mlir:33:3: error: func.func: expected a terminator at the end of its block, found arith.addf
// CHECK-NEXT: %0 = arith.addf %x, %x : f32
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: f32) -> f32 {
  %0 = arith.addf %x, %x : f32
}

// -----

// CHECK: structure.mlir:42:3: error: func.return: expected it to end its block, found ops after it
// CHECK-NEXT: func.return %x : f32
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: f32) -> f32 {
  func.return %x : f32
  func.return %x : f32
}

// -----

// CHECK: structure.mlir:52:3: error: func.return: expected values of the function's result types [f64], found [f32]
// CHECK-NEXT: func.return %x : f32
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: f32) -> f64 {
  func.return %x : f32
}

// -----

// CHECK: structure.mlir:61:3: error: func.return: expected values of the function's result types [f32], found []
// CHECK-NEXT: func.return
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: f32) -> f32 {
  func.return
}

// -----

// CHECK: structure.mlir:70:3: error: func.call: expected a function of the module, found @helper
// CHECK-NEXT: %0 = func.call @helper(%x) : (f32) -> f32
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: f32) -> f32 {
  %0 = func.call @helper(%x) : (f32) -> f32
  func.return %0 : f32
}

// -----

// CHECK: structure.mlir:83:3: error: func.call: operand 0: expected f64, found f32
// CHECK-NEXT: %0 = func.call @helper(%x) : (f32) -> f32
// CHECK-NEXT: {{^ {4}\^$}}
func.func private @helper(%x: f64) -> f64 {
  func.return %x : f64
}
func.func @main(%x: f32) -> f32 {
  %0 = func.call @helper(%x) : (f32) -> f32
  func.return %0 : f32
}

// -----

// CHECK: structure.mlir:95:1: error: func.func: expected a name that is not defined yet, found @main
// CHECK-NEXT: func.func @main(%y: f32) {
// CHECK-NEXT: {{^ {2}\^$}}
func.func @main(%x: f32) {
  func.return
}
func.func @main(%y: f32) {
  func.return
}
