// A two-layer perceptron on a symbolic batch `b` and its mean cross-entropy.
//
//   mlc-run examples/mlp.mlir --size b=7 --check
//   mlc-run examples/mlp.mlir --size b=32 --check-each
//   mlc-opt examples/mlp.mlir --pipeline=loop
func.func @main(%x: tensor<?x64xf32, #nd.sym<b>>, %y: tensor<?xi64, #nd.sym<b>>, %w1: tensor<64x128xf32>, %b1: tensor<128xf32>, %w2: tensor<128x10xf32>, %b2: tensor<10xf32>) -> tensor<f32> {
  %0 = nd.contract %x, %w1 "a b, b c -> a c" : (tensor<?x64xf32, #nd.sym<b>>, tensor<64x128xf32>) -> tensor<?x128xf32, #nd.sym<b>>
  %1 = nd.broadcast %b1 "b -> a b" : tensor<128xf32> -> tensor<?x128xf32, #nd.sym<b>>
  %2 = nd.add %0, %1 : tensor<?x128xf32, #nd.sym<b>>
  %3 = nd.relu %2 : tensor<?x128xf32, #nd.sym<b>>
  %4 = nd.contract %3, %w2 "a b, b c -> a c" : (tensor<?x128xf32, #nd.sym<b>>, tensor<128x10xf32>) -> tensor<?x10xf32, #nd.sym<b>>
  %5 = nd.broadcast %b2 "b -> a b" : tensor<10xf32> -> tensor<?x10xf32, #nd.sym<b>>
  %6 = nd.add %4, %5 : tensor<?x10xf32, #nd.sym<b>>
  %7 = nd.one_hot %y : tensor<?xi64, #nd.sym<b>> -> tensor<?x10xf32, #nd.sym<b>>
  %8 = nd.cross_entropy %6, %7 : (tensor<?x10xf32, #nd.sym<b>>, tensor<?x10xf32, #nd.sym<b>>) -> tensor<?xf32, #nd.sym<b>>
  %9 = nd.mean %8 "a -> " : (tensor<?xf32, #nd.sym<b>>) -> tensor<f32>
  func.return %9 : tensor<f32>
}
