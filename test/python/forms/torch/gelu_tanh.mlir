func.func @main(%arg0: tensor<6x33xf32>) -> tensor<6x33xf32> {
    %1 = stablehlo.multiply %arg0, %arg0 : tensor<6x33xf32>
    %2 = stablehlo.multiply %1, %arg0 : tensor<6x33xf32>
    %3 = stablehlo.constant dense<4.471500000e-02> : tensor<f32>
    %4 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %5 = stablehlo.multiply %2, %4 : tensor<6x33xf32>
    %6 = stablehlo.add %arg0, %5 : tensor<6x33xf32>
    %7 = stablehlo.constant dense<7.978845608e-01> : tensor<f32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %9 = stablehlo.multiply %6, %8 : tensor<6x33xf32>
    %10 = stablehlo.constant dense<5.000000000e-01> : tensor<f32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %12 = stablehlo.multiply %arg0, %11 : tensor<6x33xf32>
    %13 = stablehlo.tanh %9 : tensor<6x33xf32>
    %14 = stablehlo.constant dense<1.000000000e+00> : tensor<f32>
    %15 = stablehlo.broadcast_in_dim %14, dims = [] : (tensor<f32>) -> tensor<6x33xf32>
    %16 = stablehlo.add %13, %15 : tensor<6x33xf32>
    %17 = stablehlo.multiply %12, %16 : tensor<6x33xf32>
    func.return %17 : tensor<6x33xf32>
}
