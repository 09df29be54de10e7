// RUN: mlc-opt %s -p 'vjp{wrt=1}' | FileCheck %s

// Cotangents of float results come after the arguments; the results come first.
// CHECK-LABEL: func.func @main_vjp(
// CHECK-SAME:    %x: tensor<4x3xf64>, %w: tensor<3x2xf64>, %ct0: tensor<4x2xf64>) -> (tensor<4x2xf64>, tensor<3x2xf64>)
// CHECK-NEXT:  %[[Y:.*]] = nd.contract %x, %w "a b, b c -> a c"
// CHECK-NEXT:  %[[G:.*]] = nd.contract %ct0, %x "a b, a c -> c b"
// CHECK-NEXT:  func.return %[[Y]], %[[G]] : tensor<4x2xf64>, tensor<3x2xf64>
func.func @main(%x: tensor<4x3xf64>, %w: tensor<3x2xf64>) -> tensor<4x2xf64> {
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<4x3xf64>, tensor<3x2xf64>) -> tensor<4x2xf64>
  func.return %0 : tensor<4x2xf64>
}
