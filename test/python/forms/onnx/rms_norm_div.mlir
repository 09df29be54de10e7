module {
  func.func @main(%x: tensor<6x33xf32>, %g: tensor<33xf32>) -> tensor<6x33xf32> {
    %0 = nd.mul %x, %x : tensor<6x33xf32>
    %1 = nd.reduce sum %0 "a b -> a" : (tensor<6x33xf32>) -> tensor<6xf32>
    %2 = nd.reshape %1 : tensor<6xf32> -> tensor<6x1xf32>
    %3 = nd.constant 33.0 : tensor<6x1xf32>
    %4 = nd.div %2, %3 : tensor<6x1xf32>
    %5 = nd.constant 1.0e-6 : tensor<6x1xf32>
    %6 = nd.add %4, %5 : tensor<6x1xf32>
    %7 = nd.sqrt %6 : tensor<6x1xf32>
    %8 = nd.reshape %7 : tensor<6x1xf32> -> tensor<6xf32>
    %9 = nd.broadcast %8 "a -> a b" : tensor<6xf32> -> tensor<6x33xf32>
    %10 = nd.div %x, %9 : tensor<6x33xf32>
    %11 = nd.broadcast %g "a -> b a" : tensor<33xf32> -> tensor<6x33xf32>
    %12 = nd.mul %10, %11 : tensor<6x33xf32>
    func.return %12 : tensor<6x33xf32>
  }
}
