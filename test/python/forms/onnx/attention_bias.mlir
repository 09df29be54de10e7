module {
  func.func @main(%q: tensor<2x4x16x8xf32>, %k: tensor<2x4x16x8xf32>, %v: tensor<2x4x16x8xf32>, %m: tensor<16x16xf32>) -> tensor<2x4x16x8xf32> {
    %0 = nd.transpose %k "a b c d -> a b d c" : (tensor<2x4x16x8xf32>) -> tensor<2x4x8x16xf32>
    %1 = nd.contract %q, %0 "a b c d, a b d e -> a b c e" : (tensor<2x4x16x8xf32>, tensor<2x4x8x16xf32>) -> tensor<2x4x16x16xf32>
    %2 = nd.constant 0.35355338 : tensor<2x4x16x16xf32>
    %3 = nd.mul %1, %2 : tensor<2x4x16x16xf32>
    %4 = nd.broadcast %m "a b -> c d a b" : tensor<16x16xf32> -> tensor<2x4x16x16xf32>
    %5 = nd.add %3, %4 : tensor<2x4x16x16xf32>
    %6 = nd.reduce max %5 "a b c d -> a b c" : (tensor<2x4x16x16xf32>) -> tensor<2x4x16xf32>
    %7 = nd.reshape %6 : tensor<2x4x16xf32> -> tensor<2x4x16x1xf32>
    %8 = nd.reshape %7 : tensor<2x4x16x1xf32> -> tensor<2x4x16xf32>
    %9 = nd.broadcast %8 "a b c -> a b c d" : tensor<2x4x16xf32> -> tensor<2x4x16x16xf32>
    %10 = nd.sub %5, %9 : tensor<2x4x16x16xf32>
    %11 = nd.exp %10 : tensor<2x4x16x16xf32>
    %12 = nd.reduce sum %11 "a b c d -> a b c" : (tensor<2x4x16x16xf32>) -> tensor<2x4x16xf32>
    %13 = nd.reshape %12 : tensor<2x4x16xf32> -> tensor<2x4x16x1xf32>
    %14 = nd.reshape %13 : tensor<2x4x16x1xf32> -> tensor<2x4x16xf32>
    %15 = nd.broadcast %14 "a b c -> a b c d" : tensor<2x4x16xf32> -> tensor<2x4x16x16xf32>
    %16 = nd.div %11, %15 : tensor<2x4x16x16xf32>
    %17 = nd.contract %16, %v "a b c d, a b d e -> a b c e" : (tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
    func.return %17 : tensor<2x4x16x8xf32>
  }
}
