// RUN: mlc-opt %s -p nd-to-stablehlo | FileCheck %s
// Ops by rows of a table or taken apart; calls, attributes of other dialects and their order stay, those of mlc go.

// CHECK: func.func public @main(%arg0: tensor<4x8xf32> {tf.aliasing_output = 0 : i32}, %arg1: tensor<8x8xf32>) -> (tensor<4x8xf32>, tensor<4xi64>) {
// CHECK-NEXT: %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT: %1 = call @activation(%0) : (tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT: %cst = stablehlo.constant dense<0xFF800000> : tensor<f32>
// CHECK-NEXT: %2 = stablehlo.reduce(%1 init: %cst) applies stablehlo.maximum across dimensions = [1] : (tensor<4x8xf32>, tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: %3 = stablehlo.broadcast_in_dim %2, dims = [0] : (tensor<4xf32>) -> tensor<4x8xf32>
// CHECK-NEXT: %4 = stablehlo.compare  EQ, %1, %3,  FLOAT : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xi1>
// CHECK-NEXT: %5 = stablehlo.compare  NE, %1, %1,  FLOAT : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xi1>
// CHECK-NEXT: %6 = stablehlo.or %4, %5 : tensor<4x8xi1>
// CHECK-NEXT: %7 = stablehlo.iota dim = 1 : tensor<4x8xi64>
// CHECK-NEXT: %c = stablehlo.constant dense<8> : tensor<4x8xi64>
// CHECK-NEXT: %8 = stablehlo.select %6, %7, %c : tensor<4x8xi1>, tensor<4x8xi64>
// CHECK-NEXT: %c_0 = stablehlo.constant dense<8> : tensor<i64>
// CHECK-NEXT: %9 = stablehlo.reduce(%8 init: %c_0) applies stablehlo.minimum across dimensions = [1] : (tensor<4x8xi64>, tensor<i64>) -> tensor<4xi64>
// CHECK-NEXT: return %1, %9 : tensor<4x8xf32>, tensor<4xi64>
// CHECK-NEXT: }
func.func public @main(%x: tensor<4x8xf32> {tf.aliasing_output = 0 : i32}, %w: tensor<8x8xf32>) -> (tensor<4x8xf32>, tensor<4xi64>) attributes {mlc.donated = [1]} {
  %product = nd.contract %x, %w "a b, b c -> a c" : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %y = func.call @activation(%product) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %best = nd.argmax %y "a b -> a" : (tensor<4x8xf32>) -> tensor<4xi64>
  return %y, %best : tensor<4x8xf32>, tensor<4xi64>
}

// CHECK: func.func private @activation(%arg0: tensor<4x8xf32>) -> tensor<4x8xf32> {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<4x8xf32>
// CHECK-NEXT: %0 = stablehlo.maximum %arg0, %cst : tensor<4x8xf32>
// CHECK-NEXT: return %0 : tensor<4x8xf32>
// CHECK-NEXT: }
func.func private @activation(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = nd.relu %x : tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// CHECK: func.func @convolution(%arg0: tensor<1x9x9x3xf32>, %arg1: tensor<3x3x3x4xf32>) -> tensor<1x4x4x4xf32> {
// CHECK-NEXT: %0 = stablehlo.convolution(%arg0, %arg1) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [2, 2], pad = {{\[\[}}0, 0], [0, 0]], lhs_dilate = [1, 1], rhs_dilate = [1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x9x9x3xf32>, tensor<3x3x3x4xf32>) -> tensor<1x4x4x4xf32>
// CHECK-NEXT: return %0 : tensor<1x4x4x4xf32>
// CHECK-NEXT: }
func.func @convolution(%x: tensor<1x9x9x3xf32>, %k: tensor<3x3x3x4xf32>) -> tensor<1x4x4x4xf32> {
  %y = nd.contract %x, %k "n 2*i+h 2*j+w c, h w c o -> n i j o" to tensor<1x4x4x4xf32> : (tensor<1x9x9x3xf32>, tensor<3x3x3x4xf32>) -> tensor<1x4x4x4xf32>
  return %y : tensor<1x4x4x4xf32>
}

// CHECK: func.func @whole(%arg0: tensor<4xi32>, %arg1: tensor<4xi32>, %arg2: tensor<4xf32>) -> (tensor<4xi32>, tensor<4xi8>) {
// CHECK-NEXT: %c = stablehlo.constant dense<0> : tensor<4xi32>
// CHECK-NEXT: %0 = stablehlo.compare  EQ, %arg1, %c,  SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
// CHECK-NEXT: %1 = stablehlo.compare  EQ, %arg1, %c,  SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
// CHECK-NEXT: %c_0 = stablehlo.constant dense<-2147483648> : tensor<4xi32>
// CHECK-NEXT: %2 = stablehlo.compare  EQ, %arg0, %c_0,  SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
// CHECK-NEXT: %c_1 = stablehlo.constant dense<-1> : tensor<4xi32>
// CHECK-NEXT: %3 = stablehlo.compare  EQ, %arg1, %c_1,  SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
// CHECK-NEXT: %4 = stablehlo.and %2, %3 : tensor<4xi1>
// CHECK-NEXT: %5 = stablehlo.or %1, %4 : tensor<4xi1>
// CHECK-NEXT: %c_2 = stablehlo.constant dense<1> : tensor<4xi32>
// CHECK-NEXT: %6 = stablehlo.select %5, %c_2, %arg1 : tensor<4xi1>, tensor<4xi32>
// CHECK-NEXT: %7 = stablehlo.divide %arg0, %6 : tensor<4xi32>
// CHECK-NEXT: %8 = stablehlo.select %0, %c, %7 : tensor<4xi1>, tensor<4xi32>
// CHECK-NEXT: %cst = stablehlo.constant dense<1.280000e+02> : tensor<4xf32>
// CHECK-NEXT: %9 = stablehlo.compare  GE, %arg2, %cst,  FLOAT : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
// CHECK-NEXT: %cst_3 = stablehlo.constant dense<-1.290000e+02> : tensor<4xf32>
// CHECK-NEXT: %10 = stablehlo.compare  LE, %arg2, %cst_3,  FLOAT : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
// CHECK-NEXT: %11 = stablehlo.or %9, %10 : tensor<4xi1>
// CHECK-NEXT: %12 = stablehlo.compare  NE, %arg2, %arg2,  FLOAT : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
// CHECK-NEXT: %13 = stablehlo.or %11, %12 : tensor<4xi1>
// CHECK-NEXT: %cst_4 = stablehlo.constant dense<0.000000e+00> : tensor<4xf32>
// CHECK-NEXT: %14 = stablehlo.select %13, %cst_4, %arg2 : tensor<4xi1>, tensor<4xf32>
// CHECK-NEXT: %15 = stablehlo.convert %14 : (tensor<4xf32>) -> tensor<4xi8>
// CHECK-NEXT: %c_5 = stablehlo.constant dense<-128> : tensor<4xi8>
// CHECK-NEXT: %16 = stablehlo.select %10, %c_5, %15 : tensor<4xi1>, tensor<4xi8>
// CHECK-NEXT: %c_6 = stablehlo.constant dense<127> : tensor<4xi8>
// CHECK-NEXT: %17 = stablehlo.select %9, %c_6, %16 : tensor<4xi1>, tensor<4xi8>
// CHECK-NEXT: return %8, %17 : tensor<4xi32>, tensor<4xi8>
// CHECK-NEXT: }
func.func @whole(%x: tensor<4xi32>, %y: tensor<4xi32>, %f: tensor<4xf32>) -> (tensor<4xi32>, tensor<4xi8>) {
  %q = nd.quotient %x, %y : tensor<4xi32>
  %c = nd.convert %f to i8 : tensor<4xf32> -> tensor<4xi8>
  return %q, %c : tensor<4xi32>, tensor<4xi8>
}

// CHECK: func.func @transform(%arg0: tensor<3x8xf32>) -> tensor<3x5xf32> {
// CHECK-NEXT: %0 = stablehlo.fft %arg0, type =  RFFT, length = [8] : (tensor<3x8xf32>) -> tensor<3x5xcomplex<f32>>
// CHECK-NEXT: %1 = stablehlo.real %0 : (tensor<3x5xcomplex<f32>>) -> tensor<3x5xf32>
// CHECK-NEXT: return %1 : tensor<3x5xf32>
// CHECK-NEXT: }
func.func @transform(%x: tensor<3x8xf32>) -> tensor<3x5xf32> {
  %z = nd.fft rfft %x [8] : (tensor<3x8xf32>) -> tensor<3x5xcomplex<f32>>
  %r = nd.real %z : (tensor<3x5xcomplex<f32>>) -> tensor<3x5xf32>
  return %r : tensor<3x5xf32>
}
