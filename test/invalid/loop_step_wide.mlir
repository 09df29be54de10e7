// RUN: mlc-opt %s -p "loop-vectorize{axes=i,j}" --verify-diagnostics

func.func @mm(%A: tensor<128x8xf32>, %B: tensor<8x128xf32>) -> tensor<128x128xf32> {
  // expected-error @+1 {{loop-vectorize: stage mm: expected vectors of at most 8192 elements, found axes i of 128, j of 128: tile or split them first}}
  %acc = loop.stage mm [i: 128, j: 128, k: 8] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<128x128xf32>
}
