module {
  func.func @main(%x: tensor<6x33xf32>, %g: tensor<33xf32>, %b: tensor<33xf32>) -> tensor<6x33xf32> {
    %0 = nd.reduce sum %x "a b -> a" : (tensor<6x33xf32>) -> tensor<6xf32>
    %1 = nd.reshape %0 : tensor<6xf32> -> tensor<6x1xf32>
    %2 = nd.constant 33.0 : tensor<6x1xf32>
    %3 = nd.div %1, %2 : tensor<6x1xf32>
    %4 = nd.reshape %3 : tensor<6x1xf32> -> tensor<6xf32>
    %5 = nd.broadcast %4 "a -> a b" : tensor<6xf32> -> tensor<6x33xf32>
    %6 = nd.sub %x, %5 : tensor<6x33xf32>
    %7 = nd.mul %6, %6 : tensor<6x33xf32>
    %8 = nd.reduce sum %7 "a b -> a" : (tensor<6x33xf32>) -> tensor<6xf32>
    %9 = nd.reshape %8 : tensor<6xf32> -> tensor<6x1xf32>
    %10 = nd.constant 33.0 : tensor<6x1xf32>
    %11 = nd.div %9, %10 : tensor<6x1xf32>
    %12 = nd.constant 1.0e-5 : tensor<6x1xf32>
    %13 = nd.add %11, %12 : tensor<6x1xf32>
    %14 = nd.constant -0.5 : tensor<6x1xf32>
    %15 = nd.pow %13, %14 : tensor<6x1xf32>
    %16 = nd.reshape %15 : tensor<6x1xf32> -> tensor<6xf32>
    %17 = nd.broadcast %16 "a -> a b" : tensor<6xf32> -> tensor<6x33xf32>
    %18 = nd.mul %6, %17 : tensor<6x33xf32>
    %19 = nd.broadcast %g "a -> b a" : tensor<33xf32> -> tensor<6x33xf32>
    %20 = nd.mul %19, %18 : tensor<6x33xf32>
    %21 = nd.broadcast %b "a -> b a" : tensor<33xf32> -> tensor<6x33xf32>
    %22 = nd.add %21, %20 : tensor<6x33xf32>
    func.return %22 : tensor<6x33xf32>
  }
}
