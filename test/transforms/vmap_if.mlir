// RUN: mlc-opt %s -p 'vmap{size=5},dce' | FileCheck %s

// A condition that differs between elements: both branches, and a choice.
// CHECK-LABEL: func.func @main_vmap(%p: tensor<5xi1>, %x: tensor<5x3xf64>) -> tensor<5x3xf64> {
// CHECK-NEXT: %0 = nd.sin %x : tensor<5x3xf64>
// CHECK-NEXT: %1 = nd.mul %0, %x : tensor<5x3xf64>
// CHECK-NEXT: %2 = nd.exp %x : tensor<5x3xf64>
// CHECK-NEXT: %3 = nd.broadcast %p "a -> a b" : tensor<5xi1> -> tensor<5x3xi1>
// CHECK-NEXT: %4 = nd.select %3, %1, %2 : tensor<5x3xi1>, tensor<5x3xf64>
// CHECK-NEXT: func.return %4 : tensor<5x3xf64>
func.func @main(%p: tensor<i1>, %x: tensor<3xf64>) -> tensor<3xf64> {
  %r = nd.if %p (%a = %x) -> (tensor<3xf64>) {
    %0 = nd.sin %a : tensor<3xf64>
    %1 = nd.mul %0, %a : tensor<3xf64>
    nd.yield %1 : tensor<3xf64>
  } else {
    %0 = nd.exp %a : tensor<3xf64>
    nd.yield %0 : tensor<3xf64>
  }
  func.return %r : tensor<3xf64>
}
