module {
  func.func @main(%x: tensor<6x33xf32>) -> tensor<6x33xf32> {
    %0 = nd.exp %x : tensor<6x33xf32>
    %1 = nd.constant 1.0 : tensor<6x33xf32>
    %2 = nd.add %0, %1 : tensor<6x33xf32>
    %3 = nd.log %2 : tensor<6x33xf32>
    func.return %3 : tensor<6x33xf32>
  }
}
