// RUN: mlc-opt %s -p lower-loop --split-input-file --verify-diagnostics

func.func @threads(%x: tensor<64xf32>) -> tensor<f32> {
  // expected-error @+1 {{lower-loop: stage m: expected launch=true for threads, found axis i, which is shared out to them}}
  %m = loop.stage m [i: thread 64] (%a = %x[i]) -> add [] {
    loop.yield %a : f32
  }
  func.return %m : tensor<f32>
}

// -----

func.func @sweep(%x: tensor<64xf32>) -> tensor<f32> {
  // expected-error @+1 {{lower-loop: stage m: expected launch=true for threads, found axis i, which is shared out to them}}
  %m = loop.stage m [i: sweep 64] (%a = %x[i]) -> add [] {
    loop.yield %a : f32
  }
  func.return %m : tensor<f32>
}
