// RUN: mlc-opt %s | FileCheck %s
// RUN: mlc-opt %s -p inline | FileCheck %s --check-prefix=GONE

// GONE-NOT: nd.name
// CHECK-LABEL: @right
func.func @right(%x: tensor<2x3xf32>, %y: tensor<?xi64, #nd.sym<b>>) -> (tensor<2x3xf32>, tensor<?xi64, #nd.sym<b>>) {
  // CHECK: %0 = nd.name %x "hidden" : tensor<2x3xf32>
  %0 = nd.name %x "hidden" : tensor<2x3xf32>
  // CHECK: %1 = nd.name %y "labels" : tensor<?xi64, #nd.sym<b>>
  %1 = nd.name %y "labels" : tensor<?xi64, #nd.sym<b>>
  func.return %0, %1 : tensor<2x3xf32>, tensor<?xi64, #nd.sym<b>>
}
