// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<?x3xf32, #nd.sym<b>>, %w: tensor<3x4xf32>, %y: tensor<2x9x3xf64>, %k: tensor<3x3x4xf64>, %z: tensor<2x5x4xf64>, %i: tensor<2x2xi32>, %u: tensor<2x0xf32>) {
  // CHECK: %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<?x3xf32, #nd.sym<b>>, tensor<3x4xf32>) -> tensor<?x4xf32, #nd.sym<b>>
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<?x3xf32, #nd.sym<b>>, tensor<3x4xf32>) -> tensor<?x4xf32, #nd.sym<b>>
  // CHECK: %1 = nd.contract %y, %k "a 2*b+c-1 d, c d e -> a b e" to tensor<2x5x4xf64> : (tensor<2x9x3xf64>, tensor<3x3x4xf64>) -> tensor<2x5x4xf64>
  %1 = nd.contract %y, %k "a 2*b+c-1 d, c d e -> a b e" to tensor<2x5x4xf64> : (tensor<2x9x3xf64>, tensor<3x3x4xf64>) -> tensor<2x5x4xf64>
  // CHECK: %2 = nd.contract %z, %k "a (b-c+1)/2 d, c e d -> a b e" to tensor<2x9x3xf64> : (tensor<2x5x4xf64>, tensor<3x3x4xf64>) -> tensor<2x9x3xf64>
  %2 = nd.contract %z, %k "a (b-c+1)/2 d, c e d -> a b e" to tensor<2x9x3xf64> : (tensor<2x5x4xf64>, tensor<3x3x4xf64>) -> tensor<2x9x3xf64>
  // CHECK: %3 = nd.contract %i "a a -> " : (tensor<2x2xi32>) -> tensor<i32>
  %3 = nd.contract %i "a a -> " : (tensor<2x2xi32>) -> tensor<i32>
  // CHECK: %4 = nd.contract %u, %u "a b, c b -> a c" : (tensor<2x0xf32>, tensor<2x0xf32>) -> tensor<2x2xf32>
  %4 = nd.contract %u, %u "a b, c b -> a c" : (tensor<2x0xf32>, tensor<2x0xf32>) -> tensor<2x2xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>, %w: tensor<4x5xf32>) {
  // expected-error@+1 {{operand 1, dimension 0: expected size 3 of "b" in "a b, b c -> a c", found 4}}
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expected an operand or the result type to tell the size of "c" in "a b -> a c", found none}}
  %0 = nd.contract %x "a b -> a c" : (tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected a contraction such as}}
  %0 = nd.contract %x "a -> a a" : (tensor<2xf32>) -> tensor<2x2xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected an index such as a, 2*b+c-1 or (b-c)/2 in a dimension map, found "A"}}
  %0 = nd.contract %x "A -> A" : (tensor<2xf32>) -> tensor<2xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected 2 operands for "a, a -> ", found 1}}
  %0 = nd.contract %x "a, a -> " : (tensor<2xf32>) -> tensor<f32>
  func.return
}
