module {
  func.func @main(%x: tensor<6x33xf32>, %g: tensor<33xf32>, %b: tensor<33xf32>) -> tensor<6x33xf32> {
    %0 = nd.mean %x "a b -> a" : (tensor<6x33xf32>) -> tensor<6xf32>
    %1 = nd.reshape %0 : tensor<6xf32> -> tensor<6x1xf32>
    %2 = nd.reshape %1 : tensor<6x1xf32> -> tensor<6xf32>
    %3 = nd.broadcast %2 "a -> a b" : tensor<6xf32> -> tensor<6x33xf32>
    %4 = nd.sub %x, %3 : tensor<6x33xf32>
    %5 = nd.constant 2.0 : tensor<6x33xf32>
    %6 = nd.pow %4, %5 : tensor<6x33xf32>
    %7 = nd.mean %6 "a b -> a" : (tensor<6x33xf32>) -> tensor<6xf32>
    %8 = nd.reshape %7 : tensor<6xf32> -> tensor<6x1xf32>
    %9 = nd.constant 1.0e-5 : tensor<6x1xf32>
    %10 = nd.add %8, %9 : tensor<6x1xf32>
    %11 = nd.sqrt %10 : tensor<6x1xf32>
    %12 = nd.reshape %11 : tensor<6x1xf32> -> tensor<6xf32>
    %13 = nd.broadcast %12 "a -> a b" : tensor<6xf32> -> tensor<6x33xf32>
    %14 = nd.div %4, %13 : tensor<6x33xf32>
    %15 = nd.broadcast %g "a -> b a" : tensor<33xf32> -> tensor<6x33xf32>
    %16 = nd.mul %14, %15 : tensor<6x33xf32>
    %17 = nd.broadcast %b "a -> b a" : tensor<33xf32> -> tensor<6x33xf32>
    %18 = nd.add %16, %17 : tensor<6x33xf32>
    func.return %18 : tensor<6x33xf32>
  }
}
