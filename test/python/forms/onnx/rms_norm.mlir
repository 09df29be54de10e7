module {
  func.func @main(%x: tensor<6x33xf32>, %g: tensor<33xf32>) -> tensor<6x33xf32> {
    %0 = nd.constant 2.0 : tensor<6x33xf32>
    %1 = nd.pow %x, %0 : tensor<6x33xf32>
    %2 = nd.mean %1 "a b -> a" : (tensor<6x33xf32>) -> tensor<6xf32>
    %3 = nd.reshape %2 : tensor<6xf32> -> tensor<6x1xf32>
    %4 = nd.constant 1.0e-6 : tensor<6x1xf32>
    %5 = nd.add %3, %4 : tensor<6x1xf32>
    %6 = nd.sqrt %5 : tensor<6x1xf32>
    %7 = nd.constant 1.0 : tensor<6x1xf32>
    %8 = nd.div %7, %6 : tensor<6x1xf32>
    %9 = nd.reshape %8 : tensor<6x1xf32> -> tensor<6xf32>
    %10 = nd.broadcast %9 "a -> a b" : tensor<6xf32> -> tensor<6x33xf32>
    %11 = nd.mul %x, %10 : tensor<6x33xf32>
    %12 = nd.broadcast %g "a -> b a" : tensor<33xf32> -> tensor<6x33xf32>
    %13 = nd.mul %12, %11 : tensor<6x33xf32>
    func.return %13 : tensor<6x33xf32>
  }
}
