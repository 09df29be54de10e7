module {
  func.func @main(%x: tensor<6x33xf32>) -> tensor<6x33xf32> {
    %0 = nd.reduce max %x "a b -> a" : (tensor<6x33xf32>) -> tensor<6xf32>
    %1 = nd.reshape %0 : tensor<6xf32> -> tensor<6x1xf32>
    %2 = nd.reshape %1 : tensor<6x1xf32> -> tensor<6xf32>
    %3 = nd.broadcast %2 "a -> a b" : tensor<6xf32> -> tensor<6x33xf32>
    %4 = nd.sub %x, %3 : tensor<6x33xf32>
    %5 = nd.exp %4 : tensor<6x33xf32>
    %6 = nd.reduce sum %5 "a b -> a" : (tensor<6x33xf32>) -> tensor<6xf32>
    %7 = nd.reshape %6 : tensor<6xf32> -> tensor<6x1xf32>
    %8 = nd.log %7 : tensor<6x1xf32>
    %9 = nd.add %8, %1 : tensor<6x1xf32>
    %10 = nd.reshape %9 : tensor<6x1xf32> -> tensor<6xf32>
    %11 = nd.broadcast %10 "a -> a b" : tensor<6xf32> -> tensor<6x33xf32>
    %12 = nd.sub %x, %11 : tensor<6x33xf32>
    func.return %12 : tensor<6x33xf32>
  }
}
