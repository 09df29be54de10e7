// RUN: mlc-opt %s -p "loop-nest{axis=i kind=diagonal}" --verify-diagnostics

// expected-error @+1 {{loop-nest: expected a loop kind of parallel, block, thread, found diagonal}}
func.func @mm(%A: tensor<128x8xf32>, %B: tensor<8x128xf32>) -> tensor<128x128xf32> {
  %acc = loop.stage mm [i: 128, j: 128, k: 8] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<128x128xf32>
}
