// RUN: mlc-opt %s -p canonicalize | FileCheck %s
// RUN: mlc-opt %s -p 'canonicalize{numerics=fast}' | FileCheck %s --check-prefix=FAST
// RUN: mlc-opt %s -p canonicalize,canonicalize | FileCheck %s

// CHECK-LABEL: func.func @layer
// CHECK-NEXT:    %0 = nd.contract %x, %w "a b, c b -> a c"
// CHECK-NEXT:    %1 = nd.softmax %0 : tensor<?x4xf32, #nd.sym<b>>
// CHECK-NEXT:    func.return %1
func.func @layer(%x: tensor<?x8xf32, #nd.sym<b>>, %w: tensor<4x8xf32>) -> tensor<?x4xf32, #nd.sym<b>> {
  %0 = nd.constant 0.0 : tensor<?x4xf32, #nd.sym<b>>
  %1 = nd.transpose %w "a b -> b a" : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %2 = nd.contract %x, %1 "a b, b c -> a c" : (tensor<?x8xf32, #nd.sym<b>>, tensor<8x4xf32>) -> tensor<?x4xf32, #nd.sym<b>>
  %3 = nd.add %2, %0 : tensor<?x4xf32, #nd.sym<b>>
  %4 = nd.neg %3 : tensor<?x4xf32, #nd.sym<b>>
  %5 = nd.neg %4 : tensor<?x4xf32, #nd.sym<b>>
  %6 = nd.softmax %5 : tensor<?x4xf32, #nd.sym<b>>
  func.return %6 : tensor<?x4xf32, #nd.sym<b>>
}

// What only text can say: movements that move nothing, a contraction of one operand, a conversion to the same type.
// CHECK-LABEL: func.func @nothing_moves
// CHECK-NEXT:    %0 = nd.reduce sum %x "a b -> b"
// CHECK-NEXT:    %1 = nd.broadcast %0 "a -> b a"
// CHECK-NEXT:    func.return %1
func.func @nothing_moves(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = nd.transpose %x "a b -> a b" : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = nd.broadcast %0 "a b -> a b" : tensor<4x8xf32> -> tensor<4x8xf32>
  %2 = nd.convert %1 to f32 : tensor<4x8xf32> -> tensor<4x8xf32>
  %3 = nd.reduce sum %2 "a b -> a b" : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %4 = nd.reshape %3 : tensor<4x8xf32> -> tensor<4x8xf32>
  %5 = nd.contract %4 "a b -> b" : (tensor<4x8xf32>) -> tensor<8xf32>
  %6 = nd.broadcast %5 "a -> b a" : tensor<8xf32> -> tensor<4x8xf32>
  func.return %6 : tensor<4x8xf32>
}

// A pad by its own value; an op that nobody reads; equal ops.
// CHECK-LABEL: func.func @constants
// CHECK-NEXT:    %0 = nd.constant 2.0 : tensor<6xf32>
// CHECK-NEXT:    %1 = nd.exp %x : tensor<6xf32>
// CHECK-NEXT:    %2 = nd.mul %1, %1 : tensor<6xf32>
// CHECK-NEXT:    %3 = nd.add %2, %0 : tensor<6xf32>
// CHECK-NEXT:    func.return %3
func.func @constants(%x: tensor<6xf32>) -> tensor<6xf32> {
  %0 = nd.constant 2.0 : tensor<4xf32>
  %1 = nd.constant 2.0 : tensor<f32>
  %2 = nd.pad %0, %1 low [1] high [1] interior [0] : (tensor<4xf32>, tensor<f32>) -> tensor<6xf32>
  %3 = nd.exp %x : tensor<6xf32>
  %4 = nd.exp %x : tensor<6xf32>
  %5 = nd.sin %x : tensor<6xf32>
  %6 = nd.mul %3, %4 : tensor<6xf32>
  %7 = nd.add %6, %2 : tensor<6xf32>
  func.return %7 : tensor<6xf32>
}

// x * 0 is NaN for an infinite x, so it stays, unless the numerics say that nothing is infinite.
// CHECK-LABEL: func.func @times_zero
// CHECK:         nd.mul
// FAST-LABEL:  func.func @times_zero
// FAST-NEXT:     %0 = nd.constant 0.0 : tensor<6xf32>
// FAST-NEXT:     func.return %0
func.func @times_zero(%x: tensor<6xf32>) -> tensor<6xf32> {
  %0 = nd.constant 0.0 : tensor<6xf32>
  %1 = nd.mul %x, %0 : tensor<6xf32>
  func.return %1 : tensor<6xf32>
}

// Scales by constants are one, whatever makes the constants: both are known before the program runs.
// CHECK-LABEL: func.func @turned_scale
// CHECK:         [[K:%.*]] = nd.mul %t, %g : tensor<8x16xf32>
// CHECK:         [[B:%.*]] = nd.broadcast [[K]]
// CHECK-NEXT:    nd.mul %x, [[B]]
func.func @turned_scale(%x: tensor<4x8x16xf32>) -> tensor<4x8x16xf32> {
  %k = nd.resource "k", "00000000000000000000000000000005" : tensor<16x8xf32>
  %g = nd.resource "g", "00000000000000000000000000000006" : tensor<8x16xf32>
  %t = nd.transpose %k "a b -> b a" : (tensor<16x8xf32>) -> tensor<8x16xf32>
  %0 = nd.broadcast %t "b c -> a b c" : tensor<8x16xf32> -> tensor<4x8x16xf32>
  %1 = nd.broadcast %g "b c -> a b c" : tensor<8x16xf32> -> tensor<4x8x16xf32>
  %2 = nd.mul %x, %0 : tensor<4x8x16xf32>
  %3 = nd.mul %2, %1 : tensor<4x8x16xf32>
  func.return %3 : tensor<4x8x16xf32>
}
