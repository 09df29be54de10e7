// RUN: mlc-opt %s -p "loop-distribute{axis=j threads=0 fit=true}" --verify-diagnostics

// expected-error @+1 {{loop-distribute: expected threads and lanes of at least 1, found 0, 1}}
func.func @rows(%x: tensor<1000xf32>) -> tensor<f32> {
  %m = loop.stage m [j: 1000] (%a = %x[j]) -> add [] {
    loop.yield %a : f32
  }
  func.return %m : tensor<f32>
}
