module {
  func.func @main(%x: tensor<6x33xf32>) -> tensor<6x33xf32> {
    %0 = nd.constant 1.4142135 : tensor<6x33xf32>
    %1 = nd.div %x, %0 : tensor<6x33xf32>
    %2 = nd.erf %1 : tensor<6x33xf32>
    %3 = nd.constant 1.0 : tensor<6x33xf32>
    %4 = nd.add %2, %3 : tensor<6x33xf32>
    %5 = nd.mul %x, %4 : tensor<6x33xf32>
    %6 = nd.constant 0.5 : tensor<6x33xf32>
    %7 = nd.mul %5, %6 : tensor<6x33xf32>
    func.return %7 : tensor<6x33xf32>
  }
}
