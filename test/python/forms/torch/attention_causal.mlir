func.func @main(%arg0: tensor<2x4x16x8xf32>, %arg1: tensor<2x4x16x8xf32>, %arg2: tensor<2x4x16x8xf32>) -> tensor<2x4x16x8xf32> {
    %1 = stablehlo.constant dense<5.946035575e-01> : tensor<f32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f32>) -> tensor<2x4x16x8xf32>
    %3 = stablehlo.multiply %arg0, %2 : tensor<2x4x16x8xf32>
    %4 = stablehlo.constant dense<true> : tensor<i1>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<i1>) -> tensor<16x16xi1>
    %6 = stablehlo.iota dim = 0 : tensor<16xi64>
    %7 = stablehlo.reshape %6 : (tensor<16xi64>) -> tensor<1x16xi64>
    %8 = stablehlo.iota dim = 0 : tensor<16xi64>
    %9 = stablehlo.reshape %8 : (tensor<16xi64>) -> tensor<16x1xi64>
    %10 = stablehlo.broadcast_in_dim %7, dims = [0, 1] : (tensor<1x16xi64>) -> tensor<16x16xi64>
    %11 = stablehlo.broadcast_in_dim %9, dims = [0, 1] : (tensor<16x1xi64>) -> tensor<16x16xi64>
    %12 = stablehlo.subtract %10, %11 : tensor<16x16xi64>
    %13 = stablehlo.constant dense<0> : tensor<i64>
    %14 = stablehlo.broadcast_in_dim %13, dims = [] : (tensor<i64>) -> tensor<16x16xi64>
    %15 = stablehlo.compare LE, %12, %14, SIGNED : (tensor<16x16xi64>, tensor<16x16xi64>) -> tensor<16x16xi1>
    %16 = stablehlo.and %15, %5 : tensor<16x16xi1>
    %17 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %18 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %19 = stablehlo.broadcast_in_dim %18, dims = [] : (tensor<f32>) -> tensor<16x16xf32>
    %20 = stablehlo.broadcast_in_dim %17, dims = [] : (tensor<f32>) -> tensor<16x16xf32>
    %21 = stablehlo.select %16, %19, %20 : tensor<16x16xi1>, tensor<16x16xf32>
    %22 = stablehlo.transpose %arg1, dims = [0, 1, 3, 2] : (tensor<2x4x16x8xf32>) -> tensor<2x4x8x16xf32>
    %23 = stablehlo.constant dense<5.946035575e-01> : tensor<f32>
    %24 = stablehlo.broadcast_in_dim %23, dims = [] : (tensor<f32>) -> tensor<2x4x8x16xf32>
    %25 = stablehlo.multiply %22, %24 : tensor<2x4x8x16xf32>
    %26 = stablehlo.reshape %3 : (tensor<2x4x16x8xf32>) -> tensor<8x16x8xf32>
    %27 = stablehlo.reshape %25 : (tensor<2x4x8x16xf32>) -> tensor<8x8x16xf32>
    %28 = stablehlo.dot_general %26, %27, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<8x16x8xf32>, tensor<8x8x16xf32>) -> tensor<8x16x16xf32>
    %29 = stablehlo.reshape %28 : (tensor<8x16x16xf32>) -> tensor<2x4x16x16xf32>
    %30 = stablehlo.broadcast_in_dim %21, dims = [2, 3] : (tensor<16x16xf32>) -> tensor<2x4x16x16xf32>
    %31 = stablehlo.add %29, %30 : tensor<2x4x16x16xf32>
    %32 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %33 = stablehlo.reduce(%31 init: %32) applies stablehlo.maximum across dimensions = [3] : (tensor<2x4x16x16xf32>, tensor<f32>) -> tensor<2x4x16xf32>
    %34 = stablehlo.reshape %33 : (tensor<2x4x16xf32>) -> tensor<2x4x16x1xf32>
    %35 = stablehlo.broadcast_in_dim %34, dims = [0, 1, 2, 3] : (tensor<2x4x16x1xf32>) -> tensor<2x4x16x16xf32>
    %36 = stablehlo.subtract %31, %35 : tensor<2x4x16x16xf32>
    %37 = stablehlo.exponential %36 : tensor<2x4x16x16xf32>
    %38 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %39 = stablehlo.reduce(%37 init: %38) applies stablehlo.add across dimensions = [3] : (tensor<2x4x16x16xf32>, tensor<f32>) -> tensor<2x4x16xf32>
    %40 = stablehlo.reshape %39 : (tensor<2x4x16xf32>) -> tensor<2x4x16x1xf32>
    %41 = stablehlo.broadcast_in_dim %40, dims = [0, 1, 2, 3] : (tensor<2x4x16x1xf32>) -> tensor<2x4x16x16xf32>
    %42 = stablehlo.divide %37, %41 : tensor<2x4x16x16xf32>
    %43 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %44 = stablehlo.broadcast_in_dim %43, dims = [] : (tensor<f32>) -> tensor<2x4x16x16xf32>
    %45 = stablehlo.compare EQ, %31, %44, FLOAT : (tensor<2x4x16x16xf32>, tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xi1>
    %46 = stablehlo.not %45 : tensor<2x4x16x16xi1>
    %47 = stablehlo.constant dense<false> : tensor<i1>
    %48 = stablehlo.reduce(%46 init: %47) applies stablehlo.or across dimensions = [3] : (tensor<2x4x16x16xi1>, tensor<i1>) -> tensor<2x4x16xi1>
    %49 = stablehlo.reshape %48 : (tensor<2x4x16xi1>) -> tensor<2x4x16x1xi1>
    %50 = stablehlo.not %49 : tensor<2x4x16x1xi1>
    %51 = stablehlo.constant dense<0.000000000e+00> : tensor<f32>
    %52 = stablehlo.broadcast_in_dim %51, dims = [] : (tensor<f32>) -> tensor<2x4x16x16xf32>
    %53 = stablehlo.broadcast_in_dim %50, dims = [0, 1, 2, 3] : (tensor<2x4x16x1xi1>) -> tensor<2x4x16x16xi1>
    %54 = stablehlo.select %53, %52, %42 : tensor<2x4x16x16xi1>, tensor<2x4x16x16xf32>
    %55 = stablehlo.reshape %54 : (tensor<2x4x16x16xf32>) -> tensor<8x16x16xf32>
    %56 = stablehlo.reshape %arg2 : (tensor<2x4x16x8xf32>) -> tensor<8x16x8xf32>
    %57 = stablehlo.dot_general %55, %56, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<8x16x16xf32>, tensor<8x16x8xf32>) -> tensor<8x16x8xf32>
    %58 = stablehlo.reshape %57 : (tensor<8x16x8xf32>) -> tensor<2x4x16x8xf32>
    func.return %58 : tensor<2x4x16x8xf32>
}
