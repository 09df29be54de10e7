// RUN: mlc-opt %s -p "loop-version{axis=i least=9},loop-pad{axis=i size=5 only=scale_below9}" --verify-diagnostics
func.func @scale(%x: tensor<?x9xf32, #nd.sym<m>>) -> tensor<?x9xf32, #nd.sym<m>> {
  loop.size m = %x, 0
  // expected-error @+1 {{loop-pad: stage scale_below9: expected at most 5 points of axis i, as in a version below 6, found no such version around}}
  %y = loop.stage scale [i: m, j: 9] (%a = %x[i, j]) -> [i, j] {
    %p = arith.addf %a, %a : f32
    loop.yield %p : f32
  }
  func.return %y : tensor<?x9xf32, #nd.sym<m>>
}
