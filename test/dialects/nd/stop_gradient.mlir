// RUN: mlc-opt %s | FileCheck %s
// RUN: mlc-opt %s -p decompose | FileCheck %s --check-prefix=PARTS

// PARTS-NOT: nd.stop_gradient
// CHECK-LABEL: @right
func.func @right(%x0: tensor<2x3xf32>, %x1: tensor<?x4xi64, #nd.sym<b>>, %x2: tensor<f32>, %x3: tensor<0xi64>) {
  // CHECK: %0 = nd.stop_gradient %x0 : tensor<2x3xf32>
  %0 = nd.stop_gradient %x0 : tensor<2x3xf32>
  // CHECK: %1 = nd.stop_gradient %x1 : tensor<?x4xi64, #nd.sym<b>>
  %1 = nd.stop_gradient %x1 : tensor<?x4xi64, #nd.sym<b>>
  // CHECK: %2 = nd.stop_gradient %x2 : tensor<f32>
  %2 = nd.stop_gradient %x2 : tensor<f32>
  // CHECK: %3 = nd.stop_gradient %x3 : tensor<0xi64>
  %3 = nd.stop_gradient %x3 : tensor<0xi64>
  func.return
}

