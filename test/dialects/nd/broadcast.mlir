// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<4xf32>, %y: tensor<?xi32, #nd.sym<b>>, %z: tensor<i1>) {
  // CHECK: %0 = nd.broadcast %x "a -> b a" : tensor<4xf32> -> tensor<8x4xf32>
  %0 = nd.broadcast %x "a -> b a" : tensor<4xf32> -> tensor<8x4xf32>
  // CHECK: %1 = nd.broadcast %y "a -> a b" : tensor<?xi32, #nd.sym<b>> -> tensor<?x0xi32, #nd.sym<b>>
  %1 = nd.broadcast %y "a -> a b" : tensor<?xi32, #nd.sym<b>> -> tensor<?x0xi32, #nd.sym<b>>
  // CHECK: %2 = nd.broadcast %z " -> a" : tensor<i1> -> tensor<3xi1>
  %2 = nd.broadcast %z " -> a" : tensor<i1> -> tensor<3xi1>
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{operand 0, dimension 0: expected size 5 of "a" in "a -> b a", found 4}}
  %0 = nd.broadcast %x "a -> b a" : tensor<4xf32> -> tensor<8x5xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x5xf32>) {
  // expected-error@+1 {{expected a replication such as}}
  %0 = nd.broadcast %x "a b -> b a" : tensor<4x5xf32> -> tensor<5x4xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{expected a result of rank 2 for "a -> b a", found tensor<4xf32>}}
  %0 = nd.broadcast %x "a -> b a" : tensor<4xf32> -> tensor<4xf32>
  func.return
}
