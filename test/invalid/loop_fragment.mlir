// RUN: mlc-opt %s --split-input-file -p "loop-fragment{rows=i columns=j warps=2,2}" --verify-diagnostics

func.func @rows(%x: tensor<48x64xf32>) -> tensor<48x64xf32> {
  // expected-error @+1 {{loop-fragment: stage y: expected an extent of axis i that is a multiple of 2 * 16, found 48}}
  %y = loop.stage y [i: 48, j: 64] (%a = %x[i, j]) -> [i, j] {
    loop.yield %a : f32
  }
  func.return %y : tensor<48x64xf32>
}
