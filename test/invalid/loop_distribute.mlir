// RUN: mlc-opt %s -p "loop-distribute{axis=j threads=128 lanes=4}" --verify-diagnostics

func.func @rows(%x: tensor<1000xf32>) -> tensor<f32> {
  // expected-error @+1 {{loop-distribute: stage m: expected the extent of axis j to be a multiple of 128 * 4, found 1000}}
  %m = loop.stage m [j: 1000] (%a = %x[j]) -> add [] {
    loop.yield %a : f32
  }
  func.return %m : tensor<f32>
}
