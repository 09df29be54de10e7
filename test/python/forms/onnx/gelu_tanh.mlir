module {
  func.func @main(%x: tensor<6x33xf32>) -> tensor<6x33xf32> {
    %0 = nd.constant 0.5 : tensor<6x33xf32>
    %1 = nd.mul %0, %x : tensor<6x33xf32>
    %2 = nd.constant 3.0 : tensor<6x33xf32>
    %3 = nd.pow %x, %2 : tensor<6x33xf32>
    %4 = nd.constant 0.044715 : tensor<6x33xf32>
    %5 = nd.mul %4, %3 : tensor<6x33xf32>
    %6 = nd.add %x, %5 : tensor<6x33xf32>
    %7 = nd.constant 0.7978846 : tensor<6x33xf32>
    %8 = nd.mul %7, %6 : tensor<6x33xf32>
    %9 = nd.tanh %8 : tensor<6x33xf32>
    %10 = nd.constant 1.0 : tensor<6x33xf32>
    %11 = nd.add %10, %9 : tensor<6x33xf32>
    %12 = nd.mul %1, %11 : tensor<6x33xf32>
    func.return %12 : tensor<6x33xf32>
  }
}
