// RUN: mlc-opt %s -p stablehlo-to-nd | filecheck %s

// Narrow integers are computed in eight bits; quantised ones as the numbers that they stand for.

// CHECK-LABEL: @narrow
func.func @narrow(%x: tensor<4xi4>, %y: tensor<4xi4>) -> tensor<4xi4> {
  // CHECK: nd.convert %x to i8 : tensor<4xi4> -> tensor<4xi8>
  // CHECK: nd.add {{.*}} : tensor<4xi8>
  // CHECK: -> tensor<4xi4>
  %r = stablehlo.add %x, %y : tensor<4xi4>
  return %r : tensor<4xi4>
}

// CHECK-LABEL: @quantised(%x: tensor<4xi8>) -> tensor<4xi8>
func.func @quantised(%x: tensor<4x!quant.uniform<i8:f32, 0.5:1>>) -> tensor<4x!quant.uniform<i8:f32, 0.25>> {
  // CHECK: nd.sub {{.*}} : tensor<4xi32>
  // CHECK: nd.mul {{.*}} : tensor<4xf32>
  // CHECK: nd.tanh {{.*}} : tensor<4xf32>
  // CHECK: nd.div {{.*}} : tensor<4xf32>
  // CHECK: nd.clamp
  // CHECK: nd.round
  // CHECK: nd.convert {{.*}} to i8 : tensor<4xf32> -> tensor<4xi8>
  %r = stablehlo.tanh %x : (tensor<4x!quant.uniform<i8:f32, 0.5:1>>) -> tensor<4x!quant.uniform<i8:f32, 0.25>>
  return %r : tensor<4x!quant.uniform<i8:f32, 0.25>>
}

// A size that is an operand is looked for among the sizes of arguments.

// CHECK-LABEL: @reshape
func.func @reshape(%x: tensor<?x3xf32>) -> tensor<?xf32> {
  %n = stablehlo.get_dimension_size %x, dim = 0 : (tensor<?x3xf32>) -> tensor<i32>
  %three = stablehlo.constant dense<3> : tensor<i32>
  %all = stablehlo.multiply %n, %three : tensor<i32>
  %shape = stablehlo.reshape %all : (tensor<i32>) -> tensor<1xi32>
  // CHECK: nd.reshape %x : tensor<?x3xf32, #nd.sym<d0>> -> tensor<?xf32, #nd.sym<3*d0>>
  %r = stablehlo.dynamic_reshape %x, %shape : (tensor<?x3xf32>, tensor<1xi32>) -> tensor<?xf32>
  return %r : tensor<?xf32>
}
