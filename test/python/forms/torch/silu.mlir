func.func @main(%arg0: tensor<6x33xf32>) -> tensor<6x33xf32> {
    %1 = stablehlo.negate %arg0 : tensor<6x33xf32>
    %2 = stablehlo.exponential %1 : tensor<6x33xf32>
    %3 = stablehlo.constant dense<1.000000000e+00> : tensor<f32>
    %4 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %5 = stablehlo.add %4, %2 : tensor<6x33xf32>
    %6 = stablehlo.constant dense<1.000000000e+00> : tensor<f32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %8 = stablehlo.divide %7, %5 : tensor<6x33xf32>
    %9 = stablehlo.multiply %arg0, %8 : tensor<6x33xf32>
    func.return %9 : tensor<6x33xf32>
}
