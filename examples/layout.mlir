// The sum of a matrix, written column by column: neighbouring iterations of the inner loop are 4096 elements apart.
//
//   mlc-opt examples/layout.mlir -p loop-reorder        the loops in row order, decided from the strides alone
//   mlc-run examples/layout.mlir --check --bench        the same as native code
func.func @main(%x: tensor<4096x4096xf32>) -> tensor<f32> {
  %sum = loop.stage sum [j: 4096, i: 4096] (%a = %x[i, j]) -> add [] {
    loop.yield %a : f32
  }
  func.return %sum : tensor<f32>
}
