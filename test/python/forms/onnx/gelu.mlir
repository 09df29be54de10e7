module {
  func.func @main(%x: tensor<6x33xf32>) -> tensor<6x33xf32> {
    %0 = nd.constant 0.5 : tensor<6x33xf32>
    %1 = nd.mul %x, %0 : tensor<6x33xf32>
    %2 = nd.constant 1.4142135 : tensor<6x33xf32>
    %3 = nd.div %x, %2 : tensor<6x33xf32>
    %4 = nd.erf %3 : tensor<6x33xf32>
    %5 = nd.constant 1.0 : tensor<6x33xf32>
    %6 = nd.add %5, %4 : tensor<6x33xf32>
    %7 = nd.mul %1, %6 : tensor<6x33xf32>
    func.return %7 : tensor<6x33xf32>
  }
}
