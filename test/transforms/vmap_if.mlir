// RUN: mlc-opt %s -p 'vmap{size=5},dce' | FileCheck %s

// A condition that differs between elements: both branches, and a choice. A branch gets no derivative from elements that
// do not take it; after decompose nothing is left of that.
// CHECK-LABEL: func.func @main_vmap(%p: tensor<5xi1>, %x: tensor<5x3xf64>) -> tensor<5x3xf64> {
// CHECK-NEXT: %0 = nd.not %p : tensor<5xi1>
// CHECK-NEXT: %1 = nd.stop_gradient %x : tensor<5x3xf64>
// CHECK-NEXT: %2 = nd.broadcast %p "a -> a b" : tensor<5xi1> -> tensor<5x3xi1>
// CHECK-NEXT: %3 = nd.select %2, %x, %1 : tensor<5x3xi1>, tensor<5x3xf64>
// CHECK-NEXT: %4 = nd.sin %3 : tensor<5x3xf64>
// CHECK-NEXT: %5 = nd.mul %4, %3 : tensor<5x3xf64>
// CHECK-NEXT: %6 = nd.stop_gradient %x : tensor<5x3xf64>
// CHECK-NEXT: %7 = nd.broadcast %0 "a -> a b" : tensor<5xi1> -> tensor<5x3xi1>
// CHECK-NEXT: %8 = nd.select %7, %x, %6 : tensor<5x3xi1>, tensor<5x3xf64>
// CHECK-NEXT: %9 = nd.exp %8 : tensor<5x3xf64>
// CHECK-NEXT: %10 = nd.broadcast %p "a -> a b" : tensor<5xi1> -> tensor<5x3xi1>
// CHECK-NEXT: %11 = nd.select %10, %5, %9 : tensor<5x3xi1>, tensor<5x3xf64>
// CHECK-NEXT: func.return %11 : tensor<5x3xf64>
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
