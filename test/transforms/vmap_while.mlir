// RUN: mlc-opt %s -p 'vmap{size=5},dce' | FileCheck %s

// The loop ends when no element goes on; finished elements keep their values, and checks do not ask them.
// CHECK-LABEL: func.func @main_vmap(%n: tensor<5xi64>, %x: tensor<5xf64>) -> tensor<5xf64> {
// CHECK-NEXT: %zero = nd.constant 0 : tensor<i64>
// CHECK-NEXT: %0 = nd.broadcast %zero " -> a" : tensor<i64> -> tensor<5xi64>
// CHECK-NEXT: %1 = nd.compare lt %0, %n : tensor<5xi64> -> tensor<5xi1>
// CHECK-NEXT: %2, %3, %4 = nd.while (%m = %n) carry (%5 = %1, %k = %0, %c = %x) -> (tensor<5xi1>, tensor<5xi64>, tensor<5xf64>) {
// CHECK-NEXT: %6 = nd.reduce any %5 "a -> " : (tensor<5xi1>) -> tensor<i1>
// CHECK-NEXT: nd.yield %6 : tensor<i1>
// CHECK-NEXT: } do {
// CHECK-NEXT: %7 = nd.compare gt %c, %c : tensor<5xf64> -> tensor<5xi1>
// CHECK-NEXT: %8 = nd.not %5 : tensor<5xi1>
// CHECK-NEXT: %9 = nd.or %8, %7 : tensor<5xi1>
// CHECK-NEXT: nd.check %9 "large" : tensor<5xi1>
// CHECK-NEXT: %10 = nd.constant 1 : tensor<i64>
// CHECK-NEXT: %11 = nd.broadcast %10 " -> a" : tensor<i64> -> tensor<5xi64>
// CHECK-NEXT: %12 = nd.add %k, %11 : tensor<5xi64>
// CHECK-NEXT: %13 = nd.sin %c : tensor<5xf64>
// CHECK-NEXT: %14 = nd.select %5, %12, %k : tensor<5xi1>, tensor<5xi64>
// CHECK-NEXT: %15 = nd.select %5, %13, %c : tensor<5xi1>, tensor<5xf64>
// CHECK-NEXT: %16 = nd.compare lt %14, %m : tensor<5xi64> -> tensor<5xi1>
// CHECK-NEXT: %17 = nd.and %5, %16 : tensor<5xi1>
// CHECK-NEXT: nd.yield %17, %14, %15 : tensor<5xi1>, tensor<5xi64>, tensor<5xf64>
// CHECK-NEXT: }
// CHECK-NEXT: func.return %4 : tensor<5xf64>
func.func @main(%n: tensor<i64>, %x: tensor<f64>) -> tensor<f64> {
  %zero = nd.constant 0 : tensor<i64>
  %i, %y = nd.while (%m = %n) carry (%k = %zero, %c = %x) -> (tensor<i64>, tensor<f64>) {
    %0 = nd.compare lt %k, %m : tensor<i64> -> tensor<i1>
    nd.yield %0 : tensor<i1>
  } do {
    %0 = nd.compare gt %c, %c : tensor<f64> -> tensor<i1>
    nd.check %0 "large" : tensor<i1>
    %1 = nd.constant 1 : tensor<i64>
    %2 = nd.add %k, %1 : tensor<i64>
    %3 = nd.sin %c : tensor<f64>
    nd.yield %2, %3 : tensor<i64>, tensor<f64>
  }
  func.return %y : tensor<f64>
}
