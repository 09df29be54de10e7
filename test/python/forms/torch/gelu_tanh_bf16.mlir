func.func @main(%arg0: tensor<6x33xbf16>) -> tensor<6x33xbf16> {
    %1 = stablehlo.convert %arg0 : (tensor<6x33xbf16>) -> tensor<6x33xf32>
    %2 = stablehlo.multiply %1, %1 : tensor<6x33xf32>
    %3 = stablehlo.multiply %2, %1 : tensor<6x33xf32>
    %4 = stablehlo.constant dense<4.471500000e-02> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %6 = stablehlo.multiply %3, %5 : tensor<6x33xf32>
    %7 = stablehlo.add %1, %6 : tensor<6x33xf32>
    %8 = stablehlo.constant dense<7.978845608e-01> : tensor<f32>
    %9 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %10 = stablehlo.multiply %7, %9 : tensor<6x33xf32>
    %11 = stablehlo.constant dense<5.000000000e-01> : tensor<f32>
    %12 = stablehlo.broadcast_in_dim %11, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %13 = stablehlo.multiply %1, %12 : tensor<6x33xf32>
    %14 = stablehlo.tanh %10 : tensor<6x33xf32>
    %15 = stablehlo.constant dense<1.000000000e+00> : tensor<f32>
    %16 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %17 = stablehlo.add %14, %16 : tensor<6x33xf32>
    %18 = stablehlo.multiply %13, %17 : tensor<6x33xf32>
    %19 = stablehlo.convert %18 : (tensor<6x33xf32>) -> tensor<6x33xbf16>
    func.return %19 : tensor<6x33xbf16>
}
