// RUN: mlc-opt %s -p decompose | FileCheck %s
// RUN: mlc-opt %s -p 'decompose{turned=false}' | FileCheck %s --check-prefix=LAST

// A softmax along the first dimension, written along the last one of the transpose.

// CHECK-LABEL: @first
// CHECK-NOT:   nd.transpose
// CHECK:       nd.reduce max %x "a b -> b"
// LAST-LABEL:  @first
// LAST:        [[T:%.*]] = nd.transpose %x
// LAST:        nd.reduce max [[T]] "a b -> a"
func.func @first(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = nd.transpose %x "a b -> b a" : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %1 = nd.softmax %0 : tensor<8x4xf32>
  %2 = nd.transpose %1 "a b -> b a" : (tensor<8x4xf32>) -> tensor<4x8xf32>
  func.return %2 : tensor<4x8xf32>
}
