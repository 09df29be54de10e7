// RUN: mlc-opt %s -p "loop-version{axis=i least=6},loop-pad{axis=i size=5 only=total_below6}" --verify-diagnostics
func.func @total(%x: tensor<?x9xf32, #nd.sym<m>>) -> tensor<9xf32> {
  loop.size m = %x, 0
  // expected-error @+1 {{loop-pad: stage total_below6: expected results over axis i, found a sum over it}}
  %y = loop.stage total [i: m, j: 9] (%a = %x[i, j]) -> add [j] { loop.yield %a : f32 }
  func.return %y : tensor<9xf32>
}
