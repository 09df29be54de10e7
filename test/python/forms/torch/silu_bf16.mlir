func.func @main(%arg0: tensor<6x33xbf16>) -> tensor<6x33xbf16> {
    %1 = stablehlo.convert %arg0 : (tensor<6x33xbf16>) -> tensor<6x33xf32>
    %2 = stablehlo.negate %1 : tensor<6x33xf32>
    %3 = stablehlo.exponential %2 : tensor<6x33xf32>
    %4 = stablehlo.constant dense<1.000000000e+00> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %6 = stablehlo.add %5, %3 : tensor<6x33xf32>
    %7 = stablehlo.constant dense<1.000000000e+00> : tensor<f32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %9 = stablehlo.divide %8, %6 : tensor<6x33xf32>
    %10 = stablehlo.multiply %1, %9 : tensor<6x33xf32>
    %11 = stablehlo.convert %10 : (tensor<6x33xf32>) -> tensor<6x33xbf16>
    func.return %11 : tensor<6x33xbf16>
}
