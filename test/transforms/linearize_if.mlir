// RUN: mlc-opt %s -p 'linearize,dce' | FileCheck %s

// Residuals of both branches share places; a branch fills with zeros what only the other one needs.
// CHECK-LABEL: func.func @main_forward(%p: tensor<i1>, %x: tensor<3xf64>) -> (tensor<3xf64>, tensor<i1>, tensor<3xf64>, tensor<3xf64>, tensor<3xf64>) {
// CHECK-NEXT: %0, %1, %2 = nd.if %p (%a = %x) -> (tensor<3xf64>, tensor<3xf64>, tensor<3xf64>) {
// CHECK-NEXT: %3 = nd.sin %a : tensor<3xf64>
// CHECK-NEXT: %4 = nd.cos %a : tensor<3xf64>
// CHECK-NEXT: %5 = nd.mul %3, %a : tensor<3xf64>
// CHECK-NEXT: nd.yield %5, %4, %3 : tensor<3xf64>, tensor<3xf64>, tensor<3xf64>
// CHECK-NEXT: } else {
// CHECK-NEXT: %6 = nd.exp %a : tensor<3xf64>
// CHECK-NEXT: %7 = nd.constant 0.0 : tensor<3xf64>
// CHECK-NEXT: nd.yield %6, %6, %7 : tensor<3xf64>, tensor<3xf64>, tensor<3xf64>
// CHECK-NEXT: }
// CHECK-NEXT: func.return %0, %p, %1, %2, %x : tensor<3xf64>, tensor<i1>, tensor<3xf64>, tensor<3xf64>, tensor<3xf64>
// CHECK-LABEL: func.func @main_linear(%0: tensor<i1>, %1: tensor<3xf64>, %2: tensor<3xf64>, %3: tensor<3xf64>, %4: tensor<3xf64>) -> tensor<3xf64> {
// CHECK-NEXT: %5 = nd.if %0 (%6 = %1, %7 = %2, %x = %3, %8 = %4) -> (tensor<3xf64>) {
// CHECK-NEXT: %9 = nd.mul %8, %6 : tensor<3xf64>
// CHECK-NEXT: %10 = nd.mul %9, %x : tensor<3xf64>
// CHECK-NEXT: %11 = nd.mul %7, %8 : tensor<3xf64>
// CHECK-NEXT: %12 = nd.add %10, %11 : tensor<3xf64>
// CHECK-NEXT: nd.yield %12 : tensor<3xf64>
// CHECK-NEXT: } else {
// CHECK-NEXT: %13 = nd.mul %8, %6 : tensor<3xf64>
// CHECK-NEXT: nd.yield %13 : tensor<3xf64>
// CHECK-NEXT: }
// CHECK-NEXT: func.return %5 : tensor<3xf64>
// CHECK-LABEL: func.func @main_backward(%0: tensor<i1>, %1: tensor<3xf64>, %2: tensor<3xf64>, %3: tensor<3xf64>, %4: tensor<3xf64>) -> tensor<3xf64> {
// CHECK-NEXT: %5 = nd.if %0 (%6 = %1, %7 = %2, %8 = %3, %9 = %4) -> (tensor<3xf64>) {
// CHECK-NEXT: %10 = nd.mul %9, %7 : tensor<3xf64>
// CHECK-NEXT: %11 = nd.mul %9, %8 : tensor<3xf64>
// CHECK-NEXT: %12 = nd.mul %11, %6 : tensor<3xf64>
// CHECK-NEXT: %13 = nd.add %10, %12 : tensor<3xf64>
// CHECK-NEXT: nd.yield %13 : tensor<3xf64>
// CHECK-NEXT: } else {
// CHECK-NEXT: %14 = nd.mul %9, %6 : tensor<3xf64>
// CHECK-NEXT: nd.yield %14 : tensor<3xf64>
// CHECK-NEXT: }
// CHECK-NEXT: func.return %5 : tensor<3xf64>
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
