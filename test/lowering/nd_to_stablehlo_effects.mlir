// RUN: mlc-opt %s -p "nd-to-stablehlo{effects=drop}" | FileCheck %s
// Prints and checks are left out where that is asked for.

// CHECK: func.func @main(%arg0: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT: %0 = stablehlo.exponential %arg0 : tensor<4xf32>
// CHECK-NEXT: return %0 : tensor<4xf32>
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  nd.print "x = {}" %x : tensor<4xf32>
  %y = nd.exp %x : tensor<4xf32>
  return %y : tensor<4xf32>
}
