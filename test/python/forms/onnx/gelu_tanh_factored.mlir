module {
  func.func @main(%x: tensor<6x33xf32>) -> tensor<6x33xf32> {
    %0 = nd.constant 0.7978846 : tensor<6x33xf32>
    %1 = nd.mul %x, %0 : tensor<6x33xf32>
    %2 = nd.constant 0.044715 : tensor<6x33xf32>
    %3 = nd.mul %2, %x : tensor<6x33xf32>
    %4 = nd.mul %3, %x : tensor<6x33xf32>
    %5 = nd.constant 1.0 : tensor<6x33xf32>
    %6 = nd.add %5, %4 : tensor<6x33xf32>
    %7 = nd.mul %1, %6 : tensor<6x33xf32>
    %8 = nd.tanh %7 : tensor<6x33xf32>
    %9 = nd.constant 0.5 : tensor<6x33xf32>
    %10 = nd.mul %9, %8 : tensor<6x33xf32>
    %11 = nd.constant 0.5 : tensor<6x33xf32>
    %12 = nd.add %11, %10 : tensor<6x33xf32>
    %13 = nd.mul %x, %12 : tensor<6x33xf32>
    func.return %13 : tensor<6x33xf32>
  }
}
