module {
  func.func @main(%q: tensor<2x4x16x8xf32>, %k: tensor<2x4x16x8xf32>, %v: tensor<2x4x16x8xf32>, %m: tensor<2x1x16x16xi1>) -> tensor<2x4x16x8xf32> {
    %0 = nd.constant 0.59460354 : tensor<2x4x16x8xf32>
    %1 = nd.mul %q, %0 : tensor<2x4x16x8xf32>
    %2 = nd.transpose %k "a b c d -> a b d c" : (tensor<2x4x16x8xf32>) -> tensor<2x4x8x16xf32>
    %3 = nd.constant 0.59460354 : tensor<2x4x8x16xf32>
    %4 = nd.mul %2, %3 : tensor<2x4x8x16xf32>
    %5 = nd.contract %1, %4 "a b c d, a b d e -> a b c e" : (tensor<2x4x16x8xf32>, tensor<2x4x8x16xf32>) -> tensor<2x4x16x16xf32>
    %6 = nd.reshape %m : tensor<2x1x16x16xi1> -> tensor<2x16x16xi1>
    %7 = nd.broadcast %6 "a b c -> a d b c" : tensor<2x16x16xi1> -> tensor<2x4x16x16xi1>
    %8 = nd.constant -inf : tensor<2x4x16x16xf32>
    %9 = nd.select %7, %5, %8 : tensor<2x4x16x16xi1>, tensor<2x4x16x16xf32>
    %10 = nd.reduce max %9 "a b c d -> a b c" : (tensor<2x4x16x16xf32>) -> tensor<2x4x16xf32>
    %11 = nd.reshape %10 : tensor<2x4x16xf32> -> tensor<2x4x16x1xf32>
    %12 = nd.reshape %11 : tensor<2x4x16x1xf32> -> tensor<2x4x16xf32>
    %13 = nd.broadcast %12 "a b c -> a b c d" : tensor<2x4x16xf32> -> tensor<2x4x16x16xf32>
    %14 = nd.sub %9, %13 : tensor<2x4x16x16xf32>
    %15 = nd.exp %14 : tensor<2x4x16x16xf32>
    %16 = nd.reduce sum %15 "a b c d -> a b c" : (tensor<2x4x16x16xf32>) -> tensor<2x4x16xf32>
    %17 = nd.reshape %16 : tensor<2x4x16xf32> -> tensor<2x4x16x1xf32>
    %18 = nd.reshape %17 : tensor<2x4x16x1xf32> -> tensor<2x4x16xf32>
    %19 = nd.broadcast %18 "a b c -> a b c d" : tensor<2x4x16xf32> -> tensor<2x4x16x16xf32>
    %20 = nd.div %15, %19 : tensor<2x4x16x16xf32>
    %21 = nd.contract %20, %v "a b c d, a b d e -> a b c e" : (tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
    func.return %21 : tensor<2x4x16x8xf32>
  }
}
