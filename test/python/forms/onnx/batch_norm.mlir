module {
  func.func @main(%x: tensor<2x4x5x5xf32>, %m: tensor<4xf32>, %v: tensor<4xf32>, %g: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<2x4x5x5xf32> {
    %0 = nd.reshape %m : tensor<4xf32> -> tensor<1x4x1x1xf32>
    %1 = nd.reshape %0 : tensor<1x4x1x1xf32> -> tensor<4xf32>
    %2 = nd.broadcast %1 "a -> b a c d" : tensor<4xf32> -> tensor<2x4x5x5xf32>
    %3 = nd.sub %x, %2 : tensor<2x4x5x5xf32>
    %4 = nd.reshape %v : tensor<4xf32> -> tensor<1x4x1x1xf32>
    %5 = nd.constant 1.0e-5 : tensor<1x4x1x1xf32>
    %6 = nd.add %4, %5 : tensor<1x4x1x1xf32>
    %7 = nd.sqrt %6 : tensor<1x4x1x1xf32>
    %8 = nd.reshape %7 : tensor<1x4x1x1xf32> -> tensor<4xf32>
    %9 = nd.broadcast %8 "a -> b a c d" : tensor<4xf32> -> tensor<2x4x5x5xf32>
    %10 = nd.div %3, %9 : tensor<2x4x5x5xf32>
    %11 = nd.reshape %g : tensor<4xf32> -> tensor<1x4x1x1xf32>
    %12 = nd.reshape %11 : tensor<1x4x1x1xf32> -> tensor<4xf32>
    %13 = nd.broadcast %12 "a -> b a c d" : tensor<4xf32> -> tensor<2x4x5x5xf32>
    %14 = nd.mul %10, %13 : tensor<2x4x5x5xf32>
    %15 = nd.reshape %b : tensor<4xf32> -> tensor<1x4x1x1xf32>
    %16 = nd.reshape %15 : tensor<1x4x1x1xf32> -> tensor<4xf32>
    %17 = nd.broadcast %16 "a -> b a c d" : tensor<4xf32> -> tensor<2x4x5x5xf32>
    %18 = nd.add %14, %17 : tensor<2x4x5x5xf32>
    func.return %18 : tensor<2x4x5x5xf32>
  }
}
