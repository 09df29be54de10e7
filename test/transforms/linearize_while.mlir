// RUN: mlc-opt %s -p linearize --verify-diagnostics

func.func @main(%n: tensor<i64>, %x: tensor<f64>) -> tensor<f64> {
  // expected-error@+1 {{reverse mode through nd.while: expected a loop with a known number of trips, found one that ends by a condition; use mlc.scan, or mlc.fori_loop with bounds that are numbers}}
  %y, %i = nd.while (%m = %n) carry (%c = %x, %k = %n) -> (tensor<f64>, tensor<i64>) {
    %0 = nd.compare lt %k, %m : tensor<i64> -> tensor<i1>
    nd.yield %0 : tensor<i1>
  } do {
    %0 = nd.sin %c : tensor<f64>
    nd.yield %0, %k : tensor<f64>, tensor<i64>
  }
  func.return %y : tensor<f64>
}
