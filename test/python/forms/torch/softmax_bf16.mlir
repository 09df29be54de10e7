func.func @main(%arg0: tensor<6x33xbf16>) -> tensor<6x33xbf16> {
    %1 = stablehlo.convert %arg0 : (tensor<6x33xbf16>) -> tensor<6x33xf32>
    %2 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %3 = stablehlo.reduce(%1 init: %2) applies stablehlo.maximum across dimensions = [1] : (tensor<6x33xf32>, tensor<f32>) -> tensor<6xf32>
    %4 = stablehlo.reshape %3 : (tensor<6xf32>) -> tensor<6x1xf32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [0, 1] : (tensor<6x1xf32>) -> tensor<6x33xf32>
    %6 = stablehlo.subtract %1, %5 : tensor<6x33xf32>
    %7 = stablehlo.exponential %6 : tensor<6x33xf32>
    %8 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %9 = stablehlo.reduce(%7 init: %8) applies stablehlo.add across dimensions = [1] : (tensor<6x33xf32>, tensor<f32>) -> tensor<6xf32>
    %10 = stablehlo.reshape %9 : (tensor<6xf32>) -> tensor<6x1xf32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [0, 1] : (tensor<6x1xf32>) -> tensor<6x33xf32>
    %12 = stablehlo.divide %7, %11 : tensor<6x33xf32>
    %13 = stablehlo.convert %12 : (tensor<6x33xf32>) -> tensor<6x33xbf16>
    func.return %13 : tensor<6x33xbf16>
}
