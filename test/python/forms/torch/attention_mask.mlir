func.func @main(%arg0: tensor<2x4x16x8xf32>, %arg1: tensor<2x4x16x8xf32>, %arg2: tensor<2x4x16x8xf32>, %arg3: tensor<16x16xi1>) -> tensor<2x4x16x8xf32> {
    %1 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %2 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %3 = stablehlo.broadcast_in_dim %2, dims = [] : (tensor<f32>) -> tensor<16x16xf32>
    %4 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f32>) -> tensor<16x16xf32>
    %5 = stablehlo.select %arg3, %3, %4 : tensor<16x16xi1>, tensor<16x16xf32>
    %6 = stablehlo.constant dense<5.946035575e-01> : tensor<f32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<f32>) -> tensor<2x4x16x8xf32>
    %8 = stablehlo.multiply %arg0, %7 : tensor<2x4x16x8xf32>
    %9 = stablehlo.transpose %arg1, dims = [0, 1, 3, 2] : (tensor<2x4x16x8xf32>) -> tensor<2x4x8x16xf32>
    %10 = stablehlo.constant dense<5.946035575e-01> : tensor<f32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<2x4x8x16xf32>
    %12 = stablehlo.multiply %9, %11 : tensor<2x4x8x16xf32>
    %13 = stablehlo.reshape %8 : (tensor<2x4x16x8xf32>) -> tensor<8x16x8xf32>
    %14 = stablehlo.reshape %12 : (tensor<2x4x8x16xf32>) -> tensor<8x8x16xf32>
    %15 = stablehlo.dot_general %13, %14, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<8x16x8xf32>, tensor<8x8x16xf32>) -> tensor<8x16x16xf32>
    %16 = stablehlo.reshape %15 : (tensor<8x16x16xf32>) -> tensor<2x4x16x16xf32>
    %17 = stablehlo.broadcast_in_dim %5, dims = [2, 3] : (tensor<16x16xf32>) -> tensor<2x4x16x16xf32>
    %18 = stablehlo.add %16, %17 : tensor<2x4x16x16xf32>
    %19 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %20 = stablehlo.reduce(%18 init: %19) applies stablehlo.maximum across dimensions = [3] : (tensor<2x4x16x16xf32>, tensor<f32>) -> tensor<2x4x16xf32>
    %21 = stablehlo.reshape %20 : (tensor<2x4x16xf32>) -> tensor<2x4x16x1xf32>
    %22 = stablehlo.broadcast_in_dim %21, dims = [0, 1, 2, 3] : (tensor<2x4x16x1xf32>) -> tensor<2x4x16x16xf32>
    %23 = stablehlo.subtract %18, %22 : tensor<2x4x16x16xf32>
    %24 = stablehlo.exponential %23 : tensor<2x4x16x16xf32>
    %25 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %26 = stablehlo.reduce(%24 init: %25) applies stablehlo.add across dimensions = [3] : (tensor<2x4x16x16xf32>, tensor<f32>) -> tensor<2x4x16xf32>
    %27 = stablehlo.reshape %26 : (tensor<2x4x16xf32>) -> tensor<2x4x16x1xf32>
    %28 = stablehlo.broadcast_in_dim %27, dims = [0, 1, 2, 3] : (tensor<2x4x16x1xf32>) -> tensor<2x4x16x16xf32>
    %29 = stablehlo.divide %24, %28 : tensor<2x4x16x16xf32>
    %30 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %31 = stablehlo.broadcast_in_dim %30, dims = [] : (tensor<f32>) -> tensor<2x4x16x16xf32>
    %32 = stablehlo.compare EQ, %18, %31, FLOAT : (tensor<2x4x16x16xf32>, tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xi1>
    %33 = stablehlo.not %32 : tensor<2x4x16x16xi1>
    %34 = stablehlo.constant dense<false> : tensor<i1>
    %35 = stablehlo.reduce(%33 init: %34) applies stablehlo.or across dimensions = [3] : (tensor<2x4x16x16xi1>, tensor<i1>) -> tensor<2x4x16xi1>
    %36 = stablehlo.reshape %35 : (tensor<2x4x16xi1>) -> tensor<2x4x16x1xi1>
    %37 = stablehlo.not %36 : tensor<2x4x16x1xi1>
    %38 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %39 = stablehlo.broadcast_in_dim %38, dims = [] : (tensor<f32>) -> tensor<2x4x16x16xf32>
    %40 = stablehlo.broadcast_in_dim %37, dims = [0, 1, 2, 3] : (tensor<2x4x16x1xi1>) -> tensor<2x4x16x16xi1>
    %41 = stablehlo.select %40, %39, %29 : tensor<2x4x16x16xi1>, tensor<2x4x16x16xf32>
    %42 = stablehlo.reshape %41 : (tensor<2x4x16x16xf32>) -> tensor<8x16x16xf32>
    %43 = stablehlo.reshape %arg2 : (tensor<2x4x16x8xf32>) -> tensor<8x16x8xf32>
    %44 = stablehlo.dot_general %42, %43, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<8x16x16xf32>, tensor<8x16x8xf32>) -> tensor<8x16x8xf32>
    %45 = stablehlo.reshape %44 : (tensor<8x16x8xf32>) -> tensor<2x4x16x8xf32>
    func.return %45 : tensor<2x4x16x8xf32>
}
