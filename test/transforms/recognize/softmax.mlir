// RUN: mlc-opt %s -p recognize | FileCheck %s

// CHECK-LABEL: @softmax
// CHECK-NEXT: %[[Y:.*]] = nd.softmax %x : tensor<4x8xf32>
// CHECK-NEXT: func.return %[[Y]]
func.func @softmax(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = nd.reduce max %x "a b -> a" : (tensor<4x8xf32>) -> tensor<4xf32>
  %1 = nd.broadcast %0 "a -> a b" : tensor<4xf32> -> tensor<4x8xf32>
  %2 = nd.sub %x, %1 : tensor<4x8xf32>
  %3 = nd.exp %2 : tensor<4x8xf32>
  %4 = nd.reduce sum %3 "a b -> a" : (tensor<4x8xf32>) -> tensor<4xf32>
  %5 = nd.broadcast %4 "a -> a b" : tensor<4xf32> -> tensor<4x8xf32>
  %6 = nd.div %3, %5 : tensor<4x8xf32>
  func.return %6 : tensor<4x8xf32>
}

// Along the first dimension, of bf16 that is summed in f32.
// CHECK-LABEL: @first
// CHECK-NEXT: %[[T:.*]] = nd.transpose %x "a b -> b a"
// CHECK-NEXT: %[[S:.*]] = nd.softmax %[[T]] : tensor<8x4xbf16>
// CHECK-NEXT: %[[R:.*]] = nd.transpose %[[S]] "a b -> b a"
// CHECK-NEXT: func.return %[[R]]
func.func @first(%x: tensor<4x8xbf16>) -> tensor<4x8xbf16> {
  %0 = nd.reduce max %x "a b -> b" : (tensor<4x8xbf16>) -> tensor<8xbf16>
  %1 = nd.broadcast %0 "a -> b a" : tensor<8xbf16> -> tensor<4x8xbf16>
  %2 = nd.sub %x, %1 : tensor<4x8xbf16>
  %3 = nd.exp %2 : tensor<4x8xbf16>
  %4 = nd.convert %3 to f32 : tensor<4x8xbf16> -> tensor<4x8xf32>
  %5 = nd.reduce sum %4 "a b -> b" : (tensor<4x8xf32>) -> tensor<8xf32>
  %6 = nd.convert %5 to bf16 : tensor<8xf32> -> tensor<8xbf16>
  %7 = nd.broadcast %6 "a -> b a" : tensor<8xbf16> -> tensor<4x8xbf16>
  %8 = nd.div %3, %7 : tensor<4x8xbf16>
  func.return %8 : tensor<4x8xbf16>
}

// CHECK-LABEL: @logarithm
// CHECK-NEXT: %[[Y:.*]] = nd.log_softmax %x : tensor<4x8xf32>
// CHECK-NEXT: func.return %[[Y]]
func.func @logarithm(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = nd.reduce max %x "a b -> a" : (tensor<4x8xf32>) -> tensor<4xf32>
  %1 = nd.broadcast %0 "a -> a b" : tensor<4xf32> -> tensor<4x8xf32>
  %2 = nd.sub %x, %1 : tensor<4x8xf32>
  %3 = nd.exp %2 : tensor<4x8xf32>
  %4 = nd.reduce sum %3 "a b -> a" : (tensor<4x8xf32>) -> tensor<4xf32>
  %5 = nd.log %4 : tensor<4xf32>
  %6 = nd.broadcast %5 "a -> a b" : tensor<4xf32> -> tensor<4x8xf32>
  %7 = nd.sub %2, %6 : tensor<4x8xf32>
  func.return %7 : tensor<4x8xf32>
}

// The exponentials are read elsewhere: they stay.
// CHECK-LABEL: @read
// CHECK-NOT: nd.softmax
// CHECK: nd.div
func.func @read(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %0 = nd.reduce max %x "a b -> a" : (tensor<4x8xf32>) -> tensor<4xf32>
  %1 = nd.broadcast %0 "a -> a b" : tensor<4xf32> -> tensor<4x8xf32>
  %2 = nd.sub %x, %1 : tensor<4x8xf32>
  %3 = nd.exp %2 : tensor<4x8xf32>
  %4 = nd.reduce sum %3 "a b -> a" : (tensor<4x8xf32>) -> tensor<4xf32>
  %5 = nd.broadcast %4 "a -> a b" : tensor<4xf32> -> tensor<4x8xf32>
  %6 = nd.div %3, %5 : tensor<4x8xf32>
  func.return %6, %3 : tensor<4x8xf32>, tensor<4x8xf32>
}
