func.func @main(%arg0: tensor<6x33xf32>) -> tensor<6x33xf32> {
    %1 = stablehlo.constant dense<5.000000000e-01> : tensor<f32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %3 = stablehlo.multiply %arg0, %2 : tensor<6x33xf32>
    %4 = stablehlo.constant dense<7.071067812e-01> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %6 = stablehlo.multiply %arg0, %5 : tensor<6x33xf32>
    %7 = chlo.erf %6 : tensor<6x33xf32> -> tensor<6x33xf32>
    %8 = stablehlo.constant dense<1.000000000e+00> : tensor<f32>
    %9 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %10 = stablehlo.add %7, %9 : tensor<6x33xf32>
    %11 = stablehlo.multiply %3, %10 : tensor<6x33xf32>
    func.return %11 : tensor<6x33xf32>
}
