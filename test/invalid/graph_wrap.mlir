// RUN: mlc-opt %s -p graph-wrap --split-input-file --verify-diagnostics

func.func @mixed(%x: tensor<8xf32>) -> tensor<f32> {
  // expected-error@+1 {{nd.exp: expected only ops of the loop level, since the program has some}}
  %0 = nd.exp %x : tensor<8xf32>
  %s = loop.stage sum [i: 8] (%a = %0[i]) -> add [] {
    loop.yield %a : f32
  }
  func.return %s : tensor<f32>
}

// -----

func.func @in_a_branch(%p: tensor<i1>, %x: tensor<8xf32>) -> tensor<f32> {
  // expected-error@+1 {{nd.if: expected only ops of the loop level, since the program has some}}
  %r = nd.if %p (%a = %x) -> (tensor<f32>) {
    %s = loop.stage sum [i: 8] (%b = %a[i]) -> add [] { loop.yield %b : f32 }
    nd.yield %s : tensor<f32>
  } else {
    %s = loop.stage max [i: 8] (%b = %a[i]) -> max [] { loop.yield %b : f32 }
    nd.yield %s : tensor<f32>
  }
  func.return %r : tensor<f32>
}
