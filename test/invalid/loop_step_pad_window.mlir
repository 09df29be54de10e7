// RUN: mlc-opt %s -p "loop-version{axis=i least=6},loop-pad{axis=i size=5 only=next_below6}" --verify-diagnostics
func.func @next(%x: tensor<?x9xf32, #nd.sym<m + 1>>, %like: tensor<?xf32, #nd.sym<m>>) -> tensor<?x9xf32, #nd.sym<m>> {
  loop.size m = %like, 0
  // expected-error @+1 {{loop-pad: stage next_below6: expected %x to be read at i alone in one dimension, found [i + 1, j]}}
  %y = loop.stage next [i: m, j: 9] (%a = %x[i + 1, j]) -> [i, j] { loop.yield %a : f32 }
  func.return %y : tensor<?x9xf32, #nd.sym<m>>
}
