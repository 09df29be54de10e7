// RUN: mlc-opt %s -p "loop-split{axis=i size=4},loop-tile{axis=i size=2}" --verify-diagnostics

func.func @mm(%A: tensor<128x8xf32>, %B: tensor<8x128xf32>) -> tensor<128x128xf32> {
  // expected-error @+1 {{loop-tile: stage mm: expected axis i to be the outermost of result index 4 * i0 + i, found i0}}
  %acc = loop.stage mm [i: 128, j: 128, k: 8] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<128x128xf32>
}
