// RUN: mlc-opt %s -p 'jvp,dce' | FileCheck %s

// The condition reads values only.
// CHECK-LABEL: func.func @main_jvp(%n: tensor<i64>, %x: tensor<f64>, %dx: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
// CHECK-NEXT: %zero = nd.constant 0 : tensor<i64>
// CHECK-NEXT: %0, %1, %2 = nd.while (%m = %n) carry (%k = %zero, %c = %x, %dc = %dx) -> (tensor<i64>, tensor<f64>, tensor<f64>) {
// CHECK-NEXT: %3 = nd.compare lt %k, %m : tensor<i64> -> tensor<i1>
// CHECK-NEXT: nd.yield %3 : tensor<i1>
// CHECK-NEXT: } do {
// CHECK-NEXT: %4 = nd.constant 1 : tensor<i64>
// CHECK-NEXT: %5 = nd.add %k, %4 : tensor<i64>
// CHECK-NEXT: %6 = nd.sin %c : tensor<f64>
// CHECK-NEXT: %7 = nd.cos %c : tensor<f64>
// CHECK-NEXT: %8 = nd.mul %dc, %7 : tensor<f64>
// CHECK-NEXT: nd.yield %5, %6, %8 : tensor<i64>, tensor<f64>, tensor<f64>
// CHECK-NEXT: }
// CHECK-NEXT: func.return %1, %2 : tensor<f64>, tensor<f64>
func.func @main(%n: tensor<i64>, %x: tensor<f64>) -> tensor<f64> {
  %zero = nd.constant 0 : tensor<i64>
  %i, %y = nd.while (%m = %n) carry (%k = %zero, %c = %x) -> (tensor<i64>, tensor<f64>) {
    %0 = nd.compare lt %k, %m : tensor<i64> -> tensor<i1>
    nd.yield %0 : tensor<i1>
  } do {
    %0 = nd.compare gt %c, %c : tensor<f64> -> tensor<i1>
    %1 = nd.constant 1 : tensor<i64>
    %2 = nd.add %k, %1 : tensor<i64>
    %3 = nd.sin %c : tensor<f64>
    nd.yield %2, %3 : tensor<i64>, tensor<f64>
  }
  func.return %y : tensor<f64>
}
