func.func @main(%arg0: tensor<6x33xbf16>, %arg1: tensor<33xbf16>, %arg2: tensor<33xbf16>) -> tensor<6x33xbf16> {
    %1 = stablehlo.convert %arg0 : (tensor<6x33xbf16>) -> tensor<6x33xf32>
    %2 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %3 = stablehlo.reduce(%1 init: %2) applies stablehlo.add across dimensions = [1] : (tensor<6x33xf32>, tensor<f32>) -> tensor<6xf32>
    %4 = stablehlo.reshape %3 : (tensor<6xf32>) -> tensor<6x1xf32>
    %5 = stablehlo.constant dense<3.300000000e+01> : tensor<f32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<6x1xf32>
    %7 = stablehlo.divide %4, %6 : tensor<6x1xf32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [0, 1] : (tensor<6x1xf32>) -> tensor<6x33xf32>
    %9 = stablehlo.subtract %1, %8 : tensor<6x33xf32>
    %10 = stablehlo.multiply %9, %9 : tensor<6x33xf32>
    %11 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %12 = stablehlo.reduce(%10 init: %11) applies stablehlo.add across dimensions = [1] : (tensor<6x33xf32>, tensor<f32>) -> tensor<6xf32>
    %13 = stablehlo.constant dense<3.300000000e+01> : tensor<f32>
    %14 = stablehlo.broadcast_in_dim %13, dims = [] : (tensor<f32>) -> tensor<6xf32>
    %15 = stablehlo.divide %12, %14 : tensor<6xf32>
    %16 = stablehlo.broadcast_in_dim %15, dims = [0] : (tensor<6xf32>) -> tensor<6x1xf32>
    %17 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %18 = stablehlo.reduce(%1 init: %17) applies stablehlo.add across dimensions = [1] : (tensor<6x33xf32>, tensor<f32>) -> tensor<6xf32>
    %19 = stablehlo.broadcast_in_dim %18, dims = [0] : (tensor<6xf32>) -> tensor<6x1xf32>
    %20 = stablehlo.constant dense<3.300000000e+01> : tensor<f32>
    %21 = stablehlo.broadcast_in_dim %20, dims = [] : (tensor<f32>) -> tensor<6x1xf32>
    %22 = stablehlo.divide %19, %21 : tensor<6x1xf32>
    %23 = stablehlo.constant dense<1.000000000e-05> : tensor<f32>
    %24 = stablehlo.broadcast_in_dim %23, dims = [] : (tensor<f32>) -> tensor<6x1xf32>
    %25 = stablehlo.add %16, %24 : tensor<6x1xf32>
    %26 = stablehlo.rsqrt %25 : tensor<6x1xf32>
    %27 = stablehlo.broadcast_in_dim %22, dims = [0, 1] : (tensor<6x1xf32>) -> tensor<6x33xf32>
    %28 = stablehlo.subtract %1, %27 : tensor<6x33xf32>
    %29 = stablehlo.broadcast_in_dim %26, dims = [0, 1] : (tensor<6x1xf32>) -> tensor<6x33xf32>
    %30 = stablehlo.multiply %28, %29 : tensor<6x33xf32>
    %31 = stablehlo.convert %arg1 : (tensor<33xbf16>) -> tensor<33xf32>
    %32 = stablehlo.broadcast_in_dim %31, dims = [1] : (tensor<33xf32>) -> tensor<6x33xf32>
    %33 = stablehlo.multiply %30, %32 : tensor<6x33xf32>
    %34 = stablehlo.convert %arg2 : (tensor<33xbf16>) -> tensor<33xf32>
    %35 = stablehlo.broadcast_in_dim %34, dims = [1] : (tensor<33xf32>) -> tensor<6x33xf32>
    %36 = stablehlo.add %33, %35 : tensor<6x33xf32>
    %37 = stablehlo.convert %36 : (tensor<6x33xf32>) -> tensor<6x33xbf16>
    func.return %37 : tensor<6x33xbf16>
}
