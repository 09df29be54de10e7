module {
  func.func @main(%x: tensor<3x6x5xf32>) -> tensor<3x6x5xf32> {
    %0 = nd.reduce max %x "a b c -> a c" : (tensor<3x6x5xf32>) -> tensor<3x5xf32>
    %1 = nd.reshape %0 : tensor<3x5xf32> -> tensor<3x1x5xf32>
    %2 = nd.reshape %1 : tensor<3x1x5xf32> -> tensor<3x5xf32>
    %3 = nd.broadcast %2 "a b -> a c b" : tensor<3x5xf32> -> tensor<3x6x5xf32>
    %4 = nd.sub %x, %3 : tensor<3x6x5xf32>
    %5 = nd.exp %4 : tensor<3x6x5xf32>
    %6 = nd.reduce sum %5 "a b c -> a c" : (tensor<3x6x5xf32>) -> tensor<3x5xf32>
    %7 = nd.reshape %6 : tensor<3x5xf32> -> tensor<3x1x5xf32>
    %8 = nd.reshape %7 : tensor<3x1x5xf32> -> tensor<3x5xf32>
    %9 = nd.broadcast %8 "a b -> a c b" : tensor<3x5xf32> -> tensor<3x6x5xf32>
    %10 = nd.div %5, %9 : tensor<3x6x5xf32>
    func.return %10 : tensor<3x6x5xf32>
  }
}
