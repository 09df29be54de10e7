module {
  func.func @main(%x: tensor<2x16x32xf32>, %w: tensor<32x96xf32>) -> tensor<2x16x32xf32> {
    %0 = nd.contract %x, %w "a b c, c d -> a b d" : (tensor<2x16x32xf32>, tensor<32x96xf32>) -> tensor<2x16x96xf32>
    %1 = nd.reshape %0 : tensor<2x16x96xf32> -> tensor<2x16x3x4x8xf32>
    %2 = nd.transpose %1 "a b c d e -> c a d b e" : (tensor<2x16x3x4x8xf32>) -> tensor<3x2x4x16x8xf32>
    %3 = nd.slice %2 from [0, 0, 0, 0, 0] step [1, 1, 1, 1, 1] : tensor<3x2x4x16x8xf32> -> tensor<1x2x4x16x8xf32>
    %4 = nd.reshape %3 : tensor<1x2x4x16x8xf32> -> tensor<2x4x16x8xf32>
    %5 = nd.slice %2 from [1, 0, 0, 0, 0] step [1, 1, 1, 1, 1] : tensor<3x2x4x16x8xf32> -> tensor<1x2x4x16x8xf32>
    %6 = nd.reshape %5 : tensor<1x2x4x16x8xf32> -> tensor<2x4x16x8xf32>
    %7 = nd.slice %2 from [2, 0, 0, 0, 0] step [1, 1, 1, 1, 1] : tensor<3x2x4x16x8xf32> -> tensor<1x2x4x16x8xf32>
    %8 = nd.reshape %7 : tensor<1x2x4x16x8xf32> -> tensor<2x4x16x8xf32>
    %9 = nd.transpose %6 "a b c d -> a b d c" : (tensor<2x4x16x8xf32>) -> tensor<2x4x8x16xf32>
    %10 = nd.contract %4, %9 "a b c d, a b d e -> a b c e" : (tensor<2x4x16x8xf32>, tensor<2x4x8x16xf32>) -> tensor<2x4x16x16xf32>
    %11 = nd.constant 2.828427 : tensor<2x4x16x16xf32>
    %12 = nd.div %10, %11 : tensor<2x4x16x16xf32>
    %13 = nd.reduce max %12 "a b c d -> a b c" : (tensor<2x4x16x16xf32>) -> tensor<2x4x16xf32>
    %14 = nd.reshape %13 : tensor<2x4x16xf32> -> tensor<2x4x16x1xf32>
    %15 = nd.reshape %14 : tensor<2x4x16x1xf32> -> tensor<2x4x16xf32>
    %16 = nd.broadcast %15 "a b c -> a b c d" : tensor<2x4x16xf32> -> tensor<2x4x16x16xf32>
    %17 = nd.sub %12, %16 : tensor<2x4x16x16xf32>
    %18 = nd.exp %17 : tensor<2x4x16x16xf32>
    %19 = nd.reduce sum %18 "a b c d -> a b c" : (tensor<2x4x16x16xf32>) -> tensor<2x4x16xf32>
    %20 = nd.reshape %19 : tensor<2x4x16xf32> -> tensor<2x4x16x1xf32>
    %21 = nd.reshape %20 : tensor<2x4x16x1xf32> -> tensor<2x4x16xf32>
    %22 = nd.broadcast %21 "a b c -> a b c d" : tensor<2x4x16xf32> -> tensor<2x4x16x16xf32>
    %23 = nd.div %18, %22 : tensor<2x4x16x16xf32>
    %24 = nd.contract %23, %8 "a b c d, a b d e -> a b c e" : (tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
    %25 = nd.transpose %24 "a b c d -> a c b d" : (tensor<2x4x16x8xf32>) -> tensor<2x16x4x8xf32>
    %26 = nd.reshape %25 : tensor<2x16x4x8xf32> -> tensor<2x16x32xf32>
    func.return %26 : tensor<2x16x32xf32>
  }
}
