// RUN: mlc-opt %s -p graph-wrap --verify-diagnostics


func.func @mixed(%x: tensor<8xf32>) -> tensor<f32> {
  // expected-error@+1 {{nd.exp: expected only ops of the loop level, since the program has some}}
  %0 = nd.exp %x : tensor<8xf32>
  %s = loop.stage sum [i: 8] (%a = %0[i]) -> add [] {
    loop.yield %a : f32
  }
  func.return %s : tensor<f32>
}
