// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2x9x3xf32>, %y: tensor<?x8xi32, #nd.sym<b>>, %p: tensor<4xi1>) {
  // CHECK: %0 = nd.reduce_window max %x "a 2*b+c-1 d -> a b d" window [3] to tensor<2x5x3xf32> : (tensor<2x9x3xf32>) -> tensor<2x5x3xf32>
  %0 = nd.reduce_window max %x "a 2*b+c-1 d -> a b d" window [3] to tensor<2x5x3xf32> : (tensor<2x9x3xf32>) -> tensor<2x5x3xf32>
  // CHECK: %1 = nd.reduce_window sum %y "a (b+3*c-2)/2 -> a b" window [2] to tensor<?x14xi32, #nd.sym<b>> : (tensor<?x8xi32, #nd.sym<b>>) -> tensor<?x14xi32, #nd.sym<b>>
  %1 = nd.reduce_window sum %y "a (b+3*c-2)/2 -> a b" window [2] to tensor<?x14xi32, #nd.sym<b>> : (tensor<?x8xi32, #nd.sym<b>>) -> tensor<?x14xi32, #nd.sym<b>>
  // CHECK: %2 = nd.reduce_window any %p "a+b -> a" window [2] to tensor<3xi1> : (tensor<4xi1>) -> tensor<3xi1>
  %2 = nd.reduce_window any %p "a+b -> a" window [2] to tensor<3xi1> : (tensor<4xi1>) -> tensor<3xi1>
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{expected a window size of at least 1 for each of b in "a+b -> a", found [2, 3]}}
  %0 = nd.reduce_window max %x "a+b -> a" window [2, 3] to tensor<3xf32> : (tensor<4xf32>) -> tensor<3xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{expected a window size of at least 1 for each of b in "a+b -> a", found [0]}}
  %0 = nd.reduce_window max %x "a+b -> a" window [0] to tensor<3xf32> : (tensor<4xf32>) -> tensor<3xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x2xf32>) {
  // expected-error@+1 {{expected windows of one operand such as}}
  %0 = nd.reduce_window max %x "a+b c -> a d" window [2] to tensor<3x2xf32> : (tensor<4x2xf32>) -> tensor<3x2xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x2xf32>) {
  // expected-error@+1 {{expected size 3 of "b" in "a b -> a", found 2}}
  %0 = nd.reduce_window max %x "a b -> a" window [3] : (tensor<4x2xf32>) -> tensor<4xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4xi1>) {
  // expected-error@+1 {{for max, found tensor<4xi1>}}
  %0 = nd.reduce_window max %x "a+b -> a" window [2] to tensor<3xi1> : (tensor<4xi1>) -> tensor<3xi1>
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{expected an operand or the result type to tell the size of "a"}}
  %0 = nd.reduce_window max %x "a+b -> a" window [2] : (tensor<4xf32>) -> tensor<3xf32>
  func.return
}
