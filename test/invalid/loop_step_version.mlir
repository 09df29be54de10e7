// RUN: mlc-opt %s -p "loop-version{axis=i least=6}" --verify-diagnostics
func.func @scale(%x: tensor<8x9xf32>) -> tensor<8x9xf32> {
  // expected-error @+1 {{loop-version: stage scale: expected a run-time extent of axis i, found 8}}
  %y = loop.stage scale [i: 8, j: 9] (%a = %x[i, j]) -> [i, j] {
    %p = arith.addf %a, %a : f32
    loop.yield %p : f32
  }
  func.return %y : tensor<8x9xf32>
}
