// RUN: mlc-opt %s -p stablehlo-to-nd | filecheck %s

// A scan as JAX writes it: the slice of a trip is a sequence, what each trip writes a stack. From the last: `reverse`.

// CHECK-LABEL: @scan
// CHECK: nd.scan 5 reverse
// CHECK-NOT: nd.dynamic_slice
// CHECK-NOT: nd.dynamic_update_slice
func.func public @scan(%x: tensor<5x3xf32>, %c: tensor<3xf32>) -> (tensor<3xf32>, tensor<5x3xf32>) {
  %cst = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<5x3xf32>
  %i = stablehlo.constant dense<0> : tensor<i32>
  %1:4 = stablehlo.while(%xs = %x, %k = %i, %a = %c, %ys = %0) : tensor<5x3xf32>, tensor<i32>, tensor<3xf32>, tensor<5x3xf32>
  cond {
    %n = stablehlo.constant dense<5> : tensor<i32>
    %2 = stablehlo.compare LT, %k, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %2 : tensor<i1>
  } do {
    %n = stablehlo.constant dense<5> : tensor<i32>
    %one = stablehlo.constant dense<1> : tensor<i32>
    %zero = stablehlo.constant dense<0> : tensor<i32>
    %2 = stablehlo.subtract %n, %k : tensor<i32>
    %3 = stablehlo.subtract %2, %one : tensor<i32>
    %4 = func.call @dynamic_index_in_dim(%xs, %3) : (tensor<5x3xf32>, tensor<i32>) -> tensor<3xf32>
    %5 = stablehlo.add %a, %4 : tensor<3xf32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [1] : (tensor<3xf32>) -> tensor<1x3xf32>
    %7 = stablehlo.dynamic_update_slice %ys, %6, %3, %zero : (tensor<5x3xf32>, tensor<1x3xf32>, tensor<i32>, tensor<i32>) -> tensor<5x3xf32>
    %8 = stablehlo.add %k, %one : tensor<i32>
    stablehlo.return %xs, %8, %5, %7 : tensor<5x3xf32>, tensor<i32>, tensor<3xf32>, tensor<5x3xf32>
  }
  return %1#2, %1#3 : tensor<3xf32>, tensor<5x3xf32>
}

func.func private @dynamic_index_in_dim(%x: tensor<5x3xf32>, %i: tensor<i32>) -> tensor<3xf32> {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %0 = stablehlo.dynamic_slice %x, %i, %c, sizes = [1, 3] : (tensor<5x3xf32>, tensor<i32>, tensor<i32>) -> tensor<1x3xf32>
  %1 = stablehlo.reshape %0 : (tensor<1x3xf32>) -> tensor<3xf32>
  return %1 : tensor<3xf32>
}

// From 2 to 7, and not at all.

// CHECK-LABEL: @from_two
// CHECK: nd.scan 5
func.func public @from_two(%x: tensor<3xf32>) -> tensor<3xf32> {
  %two = stablehlo.constant dense<2> : tensor<i32>
  %0:2 = stablehlo.while(%k = %two, %a = %x) : tensor<i32>, tensor<3xf32>
  cond {
    %n = stablehlo.constant dense<7> : tensor<i32>
    %1 = stablehlo.compare LT, %k, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %1 : tensor<i1>
  } do {
    %one = stablehlo.constant dense<1> : tensor<i32>
    %1 = stablehlo.multiply %a, %a : tensor<3xf32>
    %2 = stablehlo.add %k, %one : tensor<i32>
    stablehlo.return %2, %1 : tensor<i32>, tensor<3xf32>
  }
  return %0#1 : tensor<3xf32>
}

// A loop that ends by what it computes stays one.

// CHECK-LABEL: @until
// CHECK: nd.while
func.func public @until(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.while(%a = %x) : tensor<f32>
  cond {
    %n = stablehlo.constant dense<7.0> : tensor<f32>
    %1 = stablehlo.compare LT, %a, %n, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %1 : tensor<i1>
  } do {
    %1 = stablehlo.add %a, %a : tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }
  return %0 : tensor<f32>
}
