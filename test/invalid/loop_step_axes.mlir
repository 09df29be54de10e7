// RUN: mlc-opt %s -p "loop-pack{value=A axes=k}" --verify-diagnostics

func.func @mm(%A: tensor<128x8xf32>, %B: tensor<8x128xf32>) -> tensor<128x128xf32> {
  // expected-error @+1 {{loop-pack: stage mm: expected axes to hold every axis by which %A is read, found none of i}}
  %acc = loop.stage mm [i: 128, j: 128, k: 8] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<128x128xf32>
}
