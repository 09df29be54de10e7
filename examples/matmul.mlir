// A matrix product at the loop level, to be scheduled by hand (docs/loop-level.md).
//
//   mlc-opt examples/matmul.mlir -p 'loop-tile{axis=i size=6},loop-tile{axis=j size=32},loop-vectorize{axes=i,j}'
//   mlc-run examples/matmul.mlir --check
func.func @main(%A: tensor<64x64xf32>, %B: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %C = loop.stage mm [i: 64, j: 64, k: 64] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %0 = arith.mulf %a, %b : f32
    loop.yield %0 : f32
  }
  func.return %C : tensor<64x64xf32>
}
