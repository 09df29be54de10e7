func.func @main(%arg0: tensor<6x33xbf16>, %arg1: tensor<33xbf16>) -> tensor<6x33xbf16> {
    %1 = stablehlo.convert %arg0 : (tensor<6x33xbf16>) -> tensor<6x33xf32>
    %2 = stablehlo.constant dense<2.000000000e+00> : tensor<f32>
    %3 = stablehlo.broadcast_in_dim %2, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %4 = stablehlo.power %1, %3 : tensor<6x33xf32>
    %5 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %6 = stablehlo.reduce(%4 init: %5) applies stablehlo.add across dimensions = [1] : (tensor<6x33xf32>, tensor<f32>) -> tensor<6xf32>
    %7 = stablehlo.reshape %6 : (tensor<6xf32>) -> tensor<6x1xf32>
    %8 = stablehlo.constant dense<3.300000000e+01> : tensor<f32>
    %9 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<f32>) -> tensor<6x1xf32>
    %10 = stablehlo.divide %7, %9 : tensor<6x1xf32>
    %11 = stablehlo.constant dense<1.000000000e-06> : tensor<f32>
    %12 = stablehlo.broadcast_in_dim %11, dims = [] : (tensor<f32>) -> tensor<6x1xf32>
    %13 = stablehlo.add %10, %12 : tensor<6x1xf32>
    %14 = stablehlo.rsqrt %13 : tensor<6x1xf32>
    %15 = stablehlo.broadcast_in_dim %14, dims = [0, 1] : (tensor<6x1xf32>) -> tensor<6x33xf32>
    %16 = stablehlo.multiply %1, %15 : tensor<6x33xf32>
    %17 = stablehlo.convert %16 : (tensor<6x33xf32>) -> tensor<6x33xbf16>
    %18 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<33xbf16>) -> tensor<6x33xbf16>
    %19 = stablehlo.multiply %18, %17 : tensor<6x33xbf16>
    func.return %19 : tensor<6x33xbf16>
}
