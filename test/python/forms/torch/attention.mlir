func.func @main(%arg0: tensor<2x4x16x8xf32>, %arg1: tensor<2x4x16x8xf32>, %arg2: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
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
    %12 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %13 = stablehlo.reduce(%11 init: %12) applies stablehlo.maximum across dimensions = [3] : (tensor<2x4x16x16xf32>, tensor<f32>) -> tensor<2x4x16xf32>
    %14 = stablehlo.reshape %13 : (tensor<2x4x16xf32>) -> tensor<2x4x16x1xf32>
    %15 = stablehlo.broadcast_in_dim %14, dims = [0, 1, 2, 3] : (tensor<2x4x16x1xf32>) -> tensor<2x4x16x16xf32>
    %16 = stablehlo.subtract %11, %15 : tensor<2x4x16x16xf32>
    %17 = stablehlo.exponential %16 : tensor<2x4x16x16xf32>
    %18 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %19 = stablehlo.reduce(%17 init: %18) applies stablehlo.add across dimensions = [3] : (tensor<2x4x16x16xf32>, tensor<f32>) -> tensor<2x4x16xf32>
    %20 = stablehlo.reshape %19 : (tensor<2x4x16xf32>) -> tensor<2x4x16x1xf32>
    %21 = stablehlo.broadcast_in_dim %20, dims = [0, 1, 2, 3] : (tensor<2x4x16x1xf32>) -> tensor<2x4x16x16xf32>
    %22 = stablehlo.divide %17, %21 : tensor<2x4x16x16xf32>
    %23 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %24 = stablehlo.broadcast_in_dim %23, dims = [] : (tensor<f32>) -> tensor<2x4x16x16xf32>
    %25 = stablehlo.compare EQ, %11, %24, FLOAT : (tensor<2x4x16x16xf32>, tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xi1>
    %26 = stablehlo.not %25 : tensor<2x4x16x16xi1>
    %27 = stablehlo.constant dense<false> : tensor<i1>
    %28 = stablehlo.reduce(%26 init: %27) applies stablehlo.or across dimensions = [3] : (tensor<2x4x16x16xi1>, tensor<i1>) -> tensor<2x4x16xi1>
    %29 = stablehlo.reshape %28 : (tensor<2x4x16xi1>) -> tensor<2x4x16x1xi1>
    %30 = stablehlo.not %29 : tensor<2x4x16x1xi1>
    %31 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %32 = stablehlo.broadcast_in_dim %31, dims = [] : (tensor<f32>) -> tensor<2x4x16x16xf32>
    %33 = stablehlo.broadcast_in_dim %30, dims = [0, 1, 2, 3] : (tensor<2x4x16x1xi1>) -> tensor<2x4x16x16xi1>
    %34 = stablehlo.select %33, %32, %22 : tensor<2x4x16x16xi1>, tensor<2x4x16x16xf32>
    %35 = stablehlo.reshape %34 : (tensor<2x4x16x16xf32>) -> tensor<8x16x16xf32>
    %36 = stablehlo.reshape %arg2 : (tensor<2x4x16x8xf32>) -> tensor<8x16x8xf32>
    %37 = stablehlo.dot_general %35, %36, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<8x16x16xf32>, tensor<8x16x8xf32>) -> tensor<8x16x8xf32>
    %38 = stablehlo.reshape %37 : (tensor<8x16x8xf32>) -> tensor<2x4x16x8xf32>
    func.return %38 : tensor<2x4x16x8xf32>
}
