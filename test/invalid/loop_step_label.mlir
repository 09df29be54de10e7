// RUN: mlc-opt %s -p "loop-vectorize{axes=i only=nothing}" --verify-diagnostics

// expected-error @+1 {{loop-vectorize: expected a stage of mm, found nothing}}
func.func @mm(%A: tensor<128x8xf32>, %B: tensor<8x128xf32>) -> tensor<128x128xf32> {
  %acc = loop.stage mm [i: 128, j: 128, k: 8] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<128x128xf32>
}
