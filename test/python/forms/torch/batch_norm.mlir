func.func @main(%arg0: tensor<2x4x5x5xf32>, %arg1: tensor<4xf32>, %arg2: tensor<4xf32>, %arg3: tensor<4xf32>, %arg4: tensor<4xf32>) -> tensor<2x4x5x5xf32> {
    %1 = stablehlo.constant dense<1.000000000e-05> : tensor<f32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f32>) -> tensor<4xf32>
    %3 = stablehlo.add %arg4, %2 : tensor<4xf32>
    %4 = stablehlo.sqrt %3 : tensor<4xf32>
    %5 = stablehlo.constant dense<1.000000000e+00> : tensor<f32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<4xf32>
    %7 = stablehlo.divide %6, %4 : tensor<4xf32>
    %8 = stablehlo.constant dense<1.000000000e+00> : tensor<f32>
    %9 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<f32>) -> tensor<4xf32>
    %10 = stablehlo.multiply %7, %9 : tensor<4xf32>
    %11 = stablehlo.reshape %arg3 : (tensor<4xf32>) -> tensor<4x1xf32>
    %12 = stablehlo.reshape %11 : (tensor<4x1xf32>) -> tensor<4x1x1xf32>
    %13 = stablehlo.broadcast_in_dim %12, dims = [1, 2, 3] : (tensor<4x1x1xf32>) -> tensor<2x4x5x5xf32>
    %14 = stablehlo.subtract %arg0, %13 : tensor<2x4x5x5xf32>
    %15 = stablehlo.reshape %10 : (tensor<4xf32>) -> tensor<4x1xf32>
    %16 = stablehlo.reshape %15 : (tensor<4x1xf32>) -> tensor<4x1x1xf32>
    %17 = stablehlo.broadcast_in_dim %16, dims = [1, 2, 3] : (tensor<4x1x1xf32>) -> tensor<2x4x5x5xf32>
    %18 = stablehlo.multiply %14, %17 : tensor<2x4x5x5xf32>
    %19 = stablehlo.reshape %arg1 : (tensor<4xf32>) -> tensor<4x1xf32>
    %20 = stablehlo.reshape %19 : (tensor<4x1xf32>) -> tensor<4x1x1xf32>
    %21 = stablehlo.broadcast_in_dim %20, dims = [1, 2, 3] : (tensor<4x1x1xf32>) -> tensor<2x4x5x5xf32>
    %22 = stablehlo.multiply %18, %21 : tensor<2x4x5x5xf32>
    %23 = stablehlo.reshape %arg2 : (tensor<4xf32>) -> tensor<4x1xf32>
    %24 = stablehlo.reshape %23 : (tensor<4x1xf32>) -> tensor<4x1x1xf32>
    %25 = stablehlo.broadcast_in_dim %24, dims = [1, 2, 3] : (tensor<4x1x1xf32>) -> tensor<2x4x5x5xf32>
    %26 = stablehlo.add %22, %25 : tensor<2x4x5x5xf32>
    func.return %26 : tensor<2x4x5x5xf32>
}
