// Dimension maps that do not fit their operands.
// RUN: not mlc-opt %s --split-input-file 2>&1 | FileCheck %s

// CHECK: nd_maps.mlir:8:3: error: nd.contract: operand 1, dimension 0: expected size 3 of "b" in "a b, b c -> a c", found 4
// CHECK-NEXT: %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2x3xf32>, %w: tensor<4x5xf32>) -> tensor<2x5xf32> {
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  func.return %0 : tensor<2x5xf32>
}

// -----

// CHECK: nd_maps.mlir:18:3: error: nd.contract: expected result type tensor<2x5xf32>, found tensor<2x3xf32>
// CHECK-NEXT: %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2x3xf32>, %w: tensor<3x5xf32>) -> tensor<2x3xf32> {
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x3xf32>
  func.return %0 : tensor<2x3xf32>
}

// -----

// CHECK: nd_maps.mlir:28:3: error: nd.contract: expected a dimension map such as "a b, b c -> a c", found "a b, b c"
// CHECK-NEXT: %0 = nd.contract %x, %w "a b, b c" : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2x3xf32>, %w: tensor<3x5xf32>) -> tensor<2x5xf32> {
  %0 = nd.contract %x, %w "a b, b c" : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  func.return %0 : tensor<2x5xf32>
}

// -----

// CHECK: nd_maps.mlir:38:3: error: nd.contract: expected an index such as a, 2*b+c-1 or (b-c)/2 in a dimension map, found "2*+"
// CHECK-NEXT: %0 = nd.contract %x, %w "a b, b 2*+ -> a c" : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2x3xf32>, %w: tensor<3x5xf32>) -> tensor<2x5xf32> {
  %0 = nd.contract %x, %w "a b, b 2*+ -> a c" : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  func.return %0 : tensor<2x5xf32>
}

// -----

// CHECK: nd_maps.mlir:48:3: error: nd.contract: operand 1: expected rank 3 for "a b, b c d -> a c", found 2
// CHECK-NEXT: %0 = nd.contract %x, %w "a b, b c d -> a c" : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2x3xf32>, %w: tensor<3x5xf32>) -> tensor<2x5xf32> {
  %0 = nd.contract %x, %w "a b, b c d -> a c" : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  func.return %0 : tensor<2x5xf32>
}

// -----

// CHECK: nd_maps.mlir:58:3: error: nd.contract: expected an operand or the result type to tell the size of "d" in "a b, b c -> a c d", found none
// CHECK-NEXT: %0 = nd.contract %x, %w "a b, b c -> a c d" : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5x7xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2x3xf32>, %w: tensor<3x5xf32>) -> tensor<2x5x7xf32> {
  %0 = nd.contract %x, %w "a b, b c -> a c d" : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5x7xf32>
  func.return %0 : tensor<2x5x7xf32>
}

// -----

// CHECK: nd_maps.mlir:68:3: error: nd.transpose: expected result type tensor<3x2xf32>, found tensor<2x3xf32>
// CHECK-NEXT: %0 = nd.transpose %x "a b -> b a" : (tensor<2x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = nd.transpose %x "a b -> b a" : (tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return %0 : tensor<2x3xf32>
}

// -----

// CHECK: nd_maps.mlir:78:3: error: nd.transpose: expected a permutation such as "a b -> b a", found "a b -> a"
// CHECK-NEXT: %0 = nd.transpose %x "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2x3xf32>) -> tensor<2xf32> {
  %0 = nd.transpose %x "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
  func.return %0 : tensor<2xf32>
}

// -----

// CHECK: nd_maps.mlir:88:3: error: nd.broadcast: expected a replication such as "a -> b a", the operand's names in their order, found "a -> b"
// CHECK-NEXT: %0 = nd.broadcast %x "a -> b" : tensor<4xf32> -> tensor<4x8xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<4xf32>) -> tensor<4x8xf32> {
  %0 = nd.broadcast %x "a -> b" : tensor<4xf32> -> tensor<4x8xf32>
  func.return %0 : tensor<4x8xf32>
}

// -----

// CHECK: nd_maps.mlir:98:3: error: nd.broadcast: operand 0, dimension 0: expected size 5 of "a" in "a -> b a", found 4
// CHECK-NEXT: %0 = nd.broadcast %x "a -> b a" : tensor<4xf32> -> tensor<8x5xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<4xf32>) -> tensor<8x5xf32> {
  %0 = nd.broadcast %x "a -> b a" : tensor<4xf32> -> tensor<8x5xf32>
  func.return %0 : tensor<8x5xf32>
}

// -----

// CHECK: nd_maps.mlir:108:3: error: nd.reduce: expected result type tensor<2xf32>, found tensor<3xf32>
// CHECK-NEXT: %0 = nd.reduce sum %x "a b -> a" : (tensor<2x3xf32>) -> tensor<3xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2x3xf32>) -> tensor<3xf32> {
  %0 = nd.reduce sum %x "a b -> a" : (tensor<2x3xf32>) -> tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// -----

// CHECK: nd_maps.mlir:118:18: error: expected `sum`, `prod`, `max`, `min`, `any`, or `all`, found 'average'
// CHECK-NEXT: %0 = nd.reduce average %x "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
// CHECK-NEXT: {{^ {19}\^$}}
func.func @main(%x: tensor<2x3xf32>) -> tensor<2xf32> {
  %0 = nd.reduce average %x "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
  func.return %0 : tensor<2xf32>
}

// -----

// CHECK: nd_maps.mlir:128:3: error: nd.reduce: expected elements of i1 for any, found tensor<2x3xf32>
// CHECK-NEXT: %0 = nd.reduce any %x "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2x3xf32>) -> tensor<2xf32> {
  %0 = nd.reduce any %x "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
  func.return %0 : tensor<2xf32>
}

// -----

// CHECK: nd_maps.mlir:138:3: error: nd.argmax: expected a reduction of one dimension such as "a b -> a", found "a b -> "
// CHECK-NEXT: %0 = nd.argmax %x "a b -> " : (tensor<2x3xf32>) -> tensor<2xi64>
// CHECK-NEXT: {{^ {4}\^$}}
func.func @main(%x: tensor<2x3xf32>) -> tensor<2xi64> {
  %0 = nd.argmax %x "a b -> " : (tensor<2x3xf32>) -> tensor<2xi64>
  func.return %0 : tensor<2xi64>
}
