module {
  func.func @main(%q: tensor<2x4x16x8xf32>, %k: tensor<2x4x16x8xf32>, %v: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
    %0 = nd.transpose %k "a b c d -> a b d c" : (tensor<2x4x16x8xf32>) -> tensor<2x4x8x16xf32>
    %1 = nd.contract %q, %0 "a b c d, a b d e -> a b c e" : (tensor<2x4x16x8xf32>, tensor<2x4x8x16xf32>) -> tensor<2x4x16x16xf32>
    %2 = nd.constant 2.828427 : tensor<2x4x16x16xf32>
    %3 = nd.div %1, %2 : tensor<2x4x16x16xf32>
    %4 = nd.reduce max %3 "a b c d -> a b c" : (tensor<2x4x16x16xf32>) -> tensor<2x4x16xf32>
    %5 = nd.reshape %4 : tensor<2x4x16xf32> -> tensor<2x4x16x1xf32>
    %6 = nd.reshape %5 : tensor<2x4x16x1xf32> -> tensor<2x4x16xf32>
    %7 = nd.broadcast %6 "a b c -> a b c d" : tensor<2x4x16xf32> -> tensor<2x4x16x16xf32>
    %8 = nd.sub %3, %7 : tensor<2x4x16x16xf32>
    %9 = nd.exp %8 : tensor<2x4x16x16xf32>
    %10 = nd.reduce sum %9 "a b c d -> a b c" : (tensor<2x4x16x16xf32>) -> tensor<2x4x16xf32>
    %11 = nd.reshape %10 : tensor<2x4x16xf32> -> tensor<2x4x16x1xf32>
    %12 = nd.reshape %11 : tensor<2x4x16x1xf32> -> tensor<2x4x16xf32>
    %13 = nd.broadcast %12 "a b c -> a b c d" : tensor<2x4x16xf32> -> tensor<2x4x16x16xf32>
    %14 = nd.div %9, %13 : tensor<2x4x16x16xf32>
    %15 = nd.contract %14, %v "a b c d, a b d e -> a b c e" : (tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
    func.return %15 : tensor<2x4x16x8xf32>
  }
}
