// One layer of a network: relu(x w + b).
//
//   mlc-run examples/layer.mlir --check --bench
func.func @main(%x: tensor<8x64xf32>, %w: tensor<64x32xf32>, %b: tensor<32xf32>) -> tensor<8x32xf32> {
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<8x64xf32>, tensor<64x32xf32>) -> tensor<8x32xf32>
  %1 = nd.broadcast %b "b -> a b" : tensor<32xf32> -> tensor<8x32xf32>
  %2 = nd.add %0, %1 : tensor<8x32xf32>
  %3 = nd.relu %2 : tensor<8x32xf32>
  func.return %3 : tensor<8x32xf32>
}
