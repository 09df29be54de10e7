func.func @main(%arg0: tensor<6x33xf32>, %arg1: tensor<33xf32>) -> tensor<6x33xf32> {
    %1 = stablehlo.constant dense<2.000000000e+00> : tensor<f32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %3 = stablehlo.power %arg0, %2 : tensor<6x33xf32>
    %4 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %5 = stablehlo.reduce(%3 init: %4) applies stablehlo.add across dimensions = [1] : (tensor<6x33xf32>, tensor<f32>) -> tensor<6xf32>
    %6 = stablehlo.reshape %5 : (tensor<6xf32>) -> tensor<6x1xf32>
    %7 = stablehlo.constant dense<3.300000000e+01> : tensor<f32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<f32>) -> tensor<6x1xf32>
    %9 = stablehlo.divide %6, %8 : tensor<6x1xf32>
    %10 = stablehlo.constant dense<1.192092896e-07> : tensor<f32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<6x1xf32>
    %12 = stablehlo.add %9, %11 : tensor<6x1xf32>
    %13 = stablehlo.rsqrt %12 : tensor<6x1xf32>
    %14 = stablehlo.broadcast_in_dim %13, dims = [0, 1] : (tensor<6x1xf32>) -> tensor<6x33xf32>
    %15 = stablehlo.multiply %arg0, %14 : tensor<6x33xf32>
    %16 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<33xf32>) -> tensor<6x33xf32>
    %17 = stablehlo.multiply %15, %16 : tensor<6x33xf32>
    func.return %17 : tensor<6x33xf32>
}
