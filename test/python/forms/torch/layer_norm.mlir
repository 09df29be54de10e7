func.func @main(%arg0: tensor<6x33xf32>, %arg1: tensor<33xf32>, %arg2: tensor<33xf32>) -> tensor<6x33xf32> {
    %1 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %2 = stablehlo.reduce(%arg0 init: %1) applies stablehlo.add across dimensions = [1] : (tensor<6x33xf32>, tensor<f32>) -> tensor<6xf32>
    %3 = stablehlo.reshape %2 : (tensor<6xf32>) -> tensor<6x1xf32>
    %4 = stablehlo.constant dense<3.300000000e+01> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<6x1xf32>
    %6 = stablehlo.divide %3, %5 : tensor<6x1xf32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [0, 1] : (tensor<6x1xf32>) -> tensor<6x33xf32>
    %8 = stablehlo.subtract %arg0, %7 : tensor<6x33xf32>
    %9 = stablehlo.multiply %8, %8 : tensor<6x33xf32>
    %10 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %11 = stablehlo.reduce(%9 init: %10) applies stablehlo.add across dimensions = [1] : (tensor<6x33xf32>, tensor<f32>) -> tensor<6xf32>
    %12 = stablehlo.constant dense<3.300000000e+01> : tensor<f32>
    %13 = stablehlo.broadcast_in_dim %12, dims = [] : (tensor<f32>) -> tensor<6xf32>
    %14 = stablehlo.divide %11, %13 : tensor<6xf32>
    %15 = stablehlo.broadcast_in_dim %14, dims = [0] : (tensor<6xf32>) -> tensor<6x1xf32>
    %16 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %17 = stablehlo.reduce(%arg0 init: %16) applies stablehlo.add across dimensions = [1] : (tensor<6x33xf32>, tensor<f32>) -> tensor<6xf32>
    %18 = stablehlo.broadcast_in_dim %17, dims = [0] : (tensor<6xf32>) -> tensor<6x1xf32>
    %19 = stablehlo.constant dense<3.300000000e+01> : tensor<f32>
    %20 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f32>) -> tensor<6x1xf32>
    %21 = stablehlo.divide %18, %20 : tensor<6x1xf32>
    %22 = stablehlo.constant dense<1.000000000e-05> : tensor<f32>
    %23 = stablehlo.broadcast_in_dim %22, dims = [] : (tensor<f32>) -> tensor<6x1xf32>
    %24 = stablehlo.add %15, %23 : tensor<6x1xf32>
    %25 = stablehlo.rsqrt %24 : tensor<6x1xf32>
    %26 = stablehlo.broadcast_in_dim %21, dims = [0, 1] : (tensor<6x1xf32>) -> tensor<6x33xf32>
    %27 = stablehlo.subtract %arg0, %26 : tensor<6x33xf32>
    %28 = stablehlo.broadcast_in_dim %25, dims = [0, 1] : (tensor<6x1xf32>) -> tensor<6x33xf32>
    %29 = stablehlo.multiply %27, %28 : tensor<6x33xf32>
    %30 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<33xf32>) -> tensor<6x33xf32>
    %31 = stablehlo.multiply %29, %30 : tensor<6x33xf32>
    %32 = stablehlo.broadcast_in_dim %arg2, dims = [1] : (tensor<33xf32>) -> tensor<6x33xf32>
    %33 = stablehlo.add %31, %32 : tensor<6x33xf32>
    func.return %33 : tensor<6x33xf32>
}
