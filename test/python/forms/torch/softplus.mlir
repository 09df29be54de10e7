func.func @main(%arg0: tensor<6x33xf32>) -> tensor<6x33xf32> {
    %1 = stablehlo.exponential %arg0 : tensor<6x33xf32>
    %2 = stablehlo.log_plus_one %1 : tensor<6x33xf32>
    %3 = stablehlo.constant dense<2.000000000e+01> : tensor<f32>
    %4 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %5 = stablehlo.compare GT, %arg0, %4, FLOAT : (tensor<6x33xf32>, tensor<6x33xf32>) -> tensor<6x33xi1>
    %6 = stablehlo.select %5, %arg0, %2 : tensor<6x33xi1>, tensor<6x33xf32>
    func.return %6 : tensor<6x33xf32>
}
