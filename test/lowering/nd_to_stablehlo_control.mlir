// RUN: mlc-opt %s -p nd-to-stablehlo | FileCheck %s
// Regions: stablehlo.if reads what is outside; loops carry their invariants; a scan is a loop over a counter.

// CHECK: func.func @choose(%arg0: tensor<i1>, %arg1: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT: %0 = "stablehlo.if"(%arg0) ({
// CHECK-NEXT: %1 = stablehlo.exponential %arg1 : tensor<4xf32>
// CHECK-NEXT: stablehlo.return %1 : tensor<4xf32>
// CHECK-NEXT: }, {
// CHECK-NEXT: stablehlo.return %arg1 : tensor<4xf32>
// CHECK-NEXT: }) : (tensor<i1>) -> tensor<4xf32>
// CHECK-NEXT: return %0 : tensor<4xf32>
// CHECK-NEXT: }
func.func @choose(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nd.if %p (%a = %x) -> (tensor<4xf32>) {
    %0 = nd.exp %a : tensor<4xf32>
    nd.yield %0 : tensor<4xf32>
  } else {
    nd.yield %a : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// CHECK: func.func @repeat(%arg0: tensor<i64>, %arg1: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT: %c = stablehlo.constant dense<0> : tensor<i64>
// CHECK-NEXT: %0:4 = stablehlo.while(%iterArg = %arg0, %iterArg_0 = %arg1, %iterArg_1 = %c, %iterArg_2 = %arg1) : tensor<i64>, tensor<4xf32>, tensor<i64>, tensor<4xf32>
// CHECK-NEXT: cond {
// CHECK-NEXT: %1 = stablehlo.compare  LT, %iterArg_1, %iterArg,  SIGNED : (tensor<i64>, tensor<i64>) -> tensor<i1>
// CHECK-NEXT: stablehlo.return %1 : tensor<i1>
// CHECK-NEXT: } do {
// CHECK-NEXT: %c_3 = stablehlo.constant dense<1> : tensor<i64>
// CHECK-NEXT: %1 = stablehlo.add %iterArg_1, %c_3 : tensor<i64>
// CHECK-NEXT: %2 = stablehlo.add %iterArg_2, %iterArg_0 : tensor<4xf32>
// CHECK-NEXT: stablehlo.return %iterArg, %iterArg_0, %1, %2 : tensor<i64>, tensor<4xf32>, tensor<i64>, tensor<4xf32>
// CHECK-NEXT: }
// CHECK-NEXT: return %0#3 : tensor<4xf32>
// CHECK-NEXT: }
func.func @repeat(%n: tensor<i64>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %zero = nd.constant 0 : tensor<i64>
  %i, %y = nd.while (%m = %n, %w = %x) carry (%j = %zero, %z = %x) -> (tensor<i64>, tensor<4xf32>) {
    %0 = nd.compare lt %j, %m : tensor<i64> -> tensor<i1>
    nd.yield %0 : tensor<i1>
  } do {
    %0 = nd.constant 1 : tensor<i64>
    %1 = nd.add %j, %0 : tensor<i64>
    %2 = nd.add %z, %w : tensor<4xf32>
    nd.yield %1, %2 : tensor<i64>, tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// CHECK: func.func @totals(%arg0: tensor<4xf32>, %arg1: tensor<16x4xf32>) -> (tensor<4xf32>, tensor<16x4xf32>) {
// CHECK-NEXT: %cst = stablehlo.constant dense<0.000000e+00> : tensor<16x4xf32>
// CHECK-NEXT: %c = stablehlo.constant dense<0> : tensor<i64>
// CHECK-NEXT: %0:4 = stablehlo.while(%iterArg = %c, %iterArg_0 = %arg0, %iterArg_1 = %arg1, %iterArg_2 = %cst) : tensor<i64>, tensor<4xf32>, tensor<16x4xf32>, tensor<16x4xf32>
// CHECK-NEXT: cond {
// CHECK-NEXT: %c_3 = stablehlo.constant dense<16> : tensor<i64>
// CHECK-NEXT: %1 = stablehlo.compare  LT, %iterArg, %c_3,  SIGNED : (tensor<i64>, tensor<i64>) -> tensor<i1>
// CHECK-NEXT: stablehlo.return %1 : tensor<i1>
// CHECK-NEXT: } do {
// CHECK-NEXT: %c_3 = stablehlo.constant dense<15> : tensor<i64>
// CHECK-NEXT: %1 = stablehlo.subtract %c_3, %iterArg : tensor<i64>
// CHECK-NEXT: %c_4 = stablehlo.constant dense<0> : tensor<i64>
// CHECK-NEXT: %2 = stablehlo.dynamic_slice %iterArg_1, %1, %c_4, sizes = [1, 4] : (tensor<16x4xf32>, tensor<i64>, tensor<i64>) -> tensor<1x4xf32>
// CHECK-NEXT: %3 = stablehlo.reshape %2 : (tensor<1x4xf32>) -> tensor<4xf32>
// CHECK-NEXT: %4 = stablehlo.add %iterArg_0, %3 : tensor<4xf32>
// CHECK-NEXT: %5 = stablehlo.reshape %4 : (tensor<4xf32>) -> tensor<1x4xf32>
// CHECK-NEXT: %6 = stablehlo.dynamic_update_slice %iterArg_2, %5, %1, %c_4 : (tensor<16x4xf32>, tensor<1x4xf32>, tensor<i64>, tensor<i64>) -> tensor<16x4xf32>
// CHECK-NEXT: %c_5 = stablehlo.constant dense<1> : tensor<i64>
// CHECK-NEXT: %7 = stablehlo.add %iterArg, %c_5 : tensor<i64>
// CHECK-NEXT: stablehlo.return %7, %4, %iterArg_1, %6 : tensor<i64>, tensor<4xf32>, tensor<16x4xf32>, tensor<16x4xf32>
// CHECK-NEXT: }
// CHECK-NEXT: return %0#1, %0#3 : tensor<4xf32>, tensor<16x4xf32>
// CHECK-NEXT: }
func.func @totals(%start: tensor<4xf32>, %xs: tensor<16x4xf32>) -> (tensor<4xf32>, tensor<16x4xf32>) {
  %last, %all = nd.scan 16 reverse carry (%a = %start) each (%x = %xs) -> (tensor<4xf32>, tensor<16x4xf32>) {
    %0 = nd.add %a, %x : tensor<4xf32>
    nd.yield %0, %0 : tensor<4xf32>, tensor<4xf32>
  }
  return %last, %all : tensor<4xf32>, tensor<16x4xf32>
}
