module {
  func.func @main(%x: tensor<6x33xf32>) -> tensor<6x33xf32> {
    %0 = nd.neg %x : tensor<6x33xf32>
    %1 = nd.exp %0 : tensor<6x33xf32>
    %2 = nd.constant 1.0 : tensor<6x33xf32>
    %3 = nd.add %2, %1 : tensor<6x33xf32>
    %4 = nd.div %x, %3 : tensor<6x33xf32>
    func.return %4 : tensor<6x33xf32>
  }
}
