func.func @main(%arg0: tensor<2x4x16x8xf32>, %arg1: tensor<2x4x16x8xf32>, %arg2: tensor<2x4x16x8xf32>, %arg3: tensor<16x16xf32>) -> tensor<2x4x16x8xf32> {
    %1 = stablehlo.constant dense<5.946035575e-01> : tensor<f32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f32>) -> tensor<2x4x16x8xf32>
    %3 = stablehlo.multiply %arg0, %2 : tensor<2x4x16x8xf32>
    %4 = stablehlo.transpose %arg1, dims = [0, 1, 3, 2] : (tensor<2x4x16x8xf32>) -> tensor<2x4x8x16xf32>
    %5 = stablehlo.constant dense<5.946035575e-01> : tensor<f32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<2x4x8x16xf32>
    %7 = stablehlo.multiply %4, %6 : tensor<2x4x8x16xf32>
    %8 = stablehlo.reshape %3 : (tensor<2x4x16x8xf32>) -> tensor<8x16x8xf32>
    %9 = stablehlo.reshape %7 : (tensor<2x4x8x16xf32>) -> tensor<8x8x16xf32>
    %10 = stablehlo.dot_general %8, %9, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<8x16x8xf32>, tensor<8x8x16xf32>) -> tensor<8x16x16xf32>
    %11 = stablehlo.reshape %10 : (tensor<8x16x16xf32>) -> tensor<2x4x16x16xf32>
    %12 = stablehlo.broadcast_in_dim %arg3, dims = [2, 3] : (tensor<16x16xf32>) -> tensor<2x4x16x16xf32>
    %13 = stablehlo.add %11, %12 : tensor<2x4x16x16xf32>
    %14 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %15 = stablehlo.reduce(%13 init: %14) applies stablehlo.maximum across dimensions = [3] : (tensor<2x4x16x16xf32>, tensor<f32>) -> tensor<2x4x16xf32>
    %16 = stablehlo.reshape %15 : (tensor<2x4x16xf32>) -> tensor<2x4x16x1xf32>
    %17 = stablehlo.broadcast_in_dim %16, dims = [0, 1, 2, 3] : (tensor<2x4x16x1xf32>) -> tensor<2x4x16x16xf32>
    %18 = stablehlo.subtract %13, %17 : tensor<2x4x16x16xf32>
    %19 = stablehlo.exponential %18 : tensor<2x4x16x16xf32>
    %20 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %21 = stablehlo.reduce(%19 init: %20) applies stablehlo.add across dimensions = [3] : (tensor<2x4x16x16xf32>, tensor<f32>) -> tensor<2x4x16xf32>
    %22 = stablehlo.reshape %21 : (tensor<2x4x16xf32>) -> tensor<2x4x16x1xf32>
    %23 = stablehlo.broadcast_in_dim %22, dims = [0, 1, 2, 3] : (tensor<2x4x16x1xf32>) -> tensor<2x4x16x16xf32>
    %24 = stablehlo.divide %19, %23 : tensor<2x4x16x16xf32>
    %25 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %26 = stablehlo.broadcast_in_dim %25, dims = [] : (tensor<f32>) -> tensor<2x4x16x16xf32>
    %27 = stablehlo.compare EQ, %13, %26, FLOAT : (tensor<2x4x16x16xf32>, tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xi1>
    %28 = stablehlo.not %27 : tensor<2x4x16x16xi1>
    %29 = stablehlo.constant dense<false> : tensor<i1>
    %30 = stablehlo.reduce(%28 init: %29) applies stablehlo.or across dimensions = [3] : (tensor<2x4x16x16xi1>, tensor<i1>) -> tensor<2x4x16xi1>
    %31 = stablehlo.reshape %30 : (tensor<2x4x16xi1>) -> tensor<2x4x16x1xi1>
    %32 = stablehlo.not %31 : tensor<2x4x16x1xi1>
    %33 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %34 = stablehlo.broadcast_in_dim %33, dims = [] : (tensor<f32>) -> tensor<2x4x16x16xf32>
    %35 = stablehlo.broadcast_in_dim %32, dims = [0, 1, 2, 3] : (tensor<2x4x16x1xi1>) -> tensor<2x4x16x16xi1>
    %36 = stablehlo.select %35, %34, %24 : tensor<2x4x16x16xi1>, tensor<2x4x16x16xf32>
    %37 = stablehlo.reshape %36 : (tensor<2x4x16x16xf32>) -> tensor<8x16x16xf32>
    %38 = stablehlo.reshape %arg2 : (tensor<2x4x16x8xf32>) -> tensor<8x16x8xf32>
    %39 = stablehlo.dot_general %37, %38, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<8x16x16xf32>, tensor<8x16x8xf32>) -> tensor<8x16x8xf32>
    %40 = stablehlo.reshape %39 : (tensor<8x16x8xf32>) -> tensor<2x4x16x8xf32>
    func.return %40 : tensor<2x4x16x8xf32>
}
