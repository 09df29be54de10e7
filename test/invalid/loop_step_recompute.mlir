// RUN: mlc-opt %s -p "loop-pack{value=A axes=i,k recompute=true}" --verify-diagnostics

func.func @mm(%A: tensor<128x8xf32>, %B: tensor<8x128xf32>) -> tensor<128x128xf32> {
  // expected-error @+1 {{loop-pack: stage mm: recompute expected %A from a stage with one result, found none}}
  %acc = loop.stage mm [i: 128, j: 128, k: 8] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<128x128xf32>
}
