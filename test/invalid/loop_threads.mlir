// RUN: mlc-opt %s --split-input-file --verify-diagnostics

func.func @kinds(%x: tensor<8x8xf32>) -> tensor<f32> {
  // expected-error @+1 {{stage m: expected threads, or warps and lanes, found axes of kinds thread, lane}}
  %m = loop.stage m [i: thread 8, j: lane 8] (%a = %x[i, j]) -> add [] {
    loop.yield %a : f32
  }
  func.return %m : tensor<f32>
}

// -----

func.func @lanes(%x: tensor<64xf32>) -> tensor<f32> {
  // expected-error @+1 {{stage m: expected at most 32 lanes, found 64}}
  %m = loop.stage m [i: lane 64] (%a = %x[i]) -> add [] {
    loop.yield %a : f32
  }
  func.return %m : tensor<f32>
}

// -----

func.func @threads(%x: tensor<2000xf32>) -> tensor<f32> {
  // expected-error @+1 {{stage m: expected at most 1024 threads, found 2048}}
  %m = loop.stage m [i: thread 2000] (%a = %x[i]) -> add [] {
    loop.yield %a : f32
  }
  func.return %m : tensor<f32>
}
