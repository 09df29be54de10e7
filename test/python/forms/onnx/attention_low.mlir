module {
  func.func @main(%q: tensor<2x4x16x8xf32>, %k: tensor<2x4x16x8xf32>, %v: tensor<2x4x16x8xf32>, %m: tensor<2x1x16x16xi1>) -> tensor<2x4x16x8xf32> {
    %0 = nd.transpose %k "a b c d -> a b d c" : (tensor<2x4x16x8xf32>) -> tensor<2x4x8x16xf32>
    %1 = nd.contract %q, %0 "a b c d, a b d e -> a b c e" : (tensor<2x4x16x8xf32>, tensor<2x4x8x16xf32>) -> tensor<2x4x16x16xf32>
    %2 = nd.constant 0.35355338 : tensor<2x4x16x16xf32>
    %3 = nd.mul %1, %2 : tensor<2x4x16x16xf32>
    %4 = nd.constant 0.0 : tensor<f32>
    %5 = nd.constant -3.4028235e+38 : tensor<f32>
    %6 = nd.broadcast %4 " -> a b c d" : tensor<f32> -> tensor<2x1x16x16xf32>
    %7 = nd.broadcast %5 " -> a b c d" : tensor<f32> -> tensor<2x1x16x16xf32>
    %8 = nd.select %m, %6, %7 : tensor<2x1x16x16xi1>, tensor<2x1x16x16xf32>
    %9 = nd.reshape %8 : tensor<2x1x16x16xf32> -> tensor<2x16x16xf32>
    %10 = nd.broadcast %9 "a b c -> a d b c" : tensor<2x16x16xf32> -> tensor<2x4x16x16xf32>
    %11 = nd.add %3, %10 : tensor<2x4x16x16xf32>
    %12 = nd.reduce max %11 "a b c d -> a b c" : (tensor<2x4x16x16xf32>) -> tensor<2x4x16xf32>
    %13 = nd.reshape %12 : tensor<2x4x16xf32> -> tensor<2x4x16x1xf32>
    %14 = nd.reshape %13 : tensor<2x4x16x1xf32> -> tensor<2x4x16xf32>
    %15 = nd.broadcast %14 "a b c -> a b c d" : tensor<2x4x16xf32> -> tensor<2x4x16x16xf32>
    %16 = nd.sub %11, %15 : tensor<2x4x16x16xf32>
    %17 = nd.exp %16 : tensor<2x4x16x16xf32>
    %18 = nd.reduce sum %17 "a b c d -> a b c" : (tensor<2x4x16x16xf32>) -> tensor<2x4x16xf32>
    %19 = nd.reshape %18 : tensor<2x4x16xf32> -> tensor<2x4x16x1xf32>
    %20 = nd.reshape %19 : tensor<2x4x16x1xf32> -> tensor<2x4x16xf32>
    %21 = nd.broadcast %20 "a b c -> a b c d" : tensor<2x4x16xf32> -> tensor<2x4x16x16xf32>
    %22 = nd.div %17, %21 : tensor<2x4x16x16xf32>
    %23 = nd.contract %22, %v "a b c d, a b d e -> a b c e" : (tensor<2x4x16x16xf32>, tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32>
    func.return %23 : tensor<2x4x16x8xf32>
  }
}
