// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2x3x4xf32>, %y: tensor<?x3xi1, #nd.sym<b>>) {
  // CHECK: %0 = nd.transpose %x "a b c -> c a b" : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
  %0 = nd.transpose %x "a b c -> c a b" : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
  // CHECK: %1 = nd.transpose %y "a b -> b a" : (tensor<?x3xi1, #nd.sym<b>>) -> tensor<3x?xi1, #nd.sym<b>>
  %1 = nd.transpose %y "a b -> b a" : (tensor<?x3xi1, #nd.sym<b>>) -> tensor<3x?xi1, #nd.sym<b>>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expected result type tensor<3x2xf32>, found tensor<2x3xf32>}}
  %0 = nd.transpose %x "a b -> b a" : (tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expected a permutation such as}}
  %0 = nd.transpose %x "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{operand 0: expected rank 3 for "a b c -> c b a", found 2}}
  %0 = nd.transpose %x "a b c -> c b a" : (tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expected a dimension map such as}}
  %0 = nd.transpose %x "a b" : (tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return
}
