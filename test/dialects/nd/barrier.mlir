// RUN: mlc-opt %s | FileCheck %s
// RUN: mlc-opt %s -p canonicalize,cse,dce | FileCheck %s --check-prefix=APART

// CHECK-LABEL: @right
func.func @right(%x0: tensor<2x3xf32>, %x1: tensor<?x4xi64, #nd.sym<b>>) {
  // CHECK: %0 = nd.barrier %x0 : tensor<2x3xf32>
  %0 = nd.barrier %x0 : tensor<2x3xf32>
  // CHECK: %1 = nd.barrier %x1 : tensor<?x4xi64, #nd.sym<b>>
  %1 = nd.barrier %x1 : tensor<?x4xi64, #nd.sym<b>>
  func.return
}

// Equal ops behind different barriers are different; a barrier that nobody reads goes.
// APART-LABEL: @apart
// APART-NEXT: nd.barrier
// APART-NEXT: nd.sin
// APART-NEXT: nd.barrier
// APART-NEXT: nd.sin
// APART-NEXT: return
func.func @apart(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = nd.barrier %x : tensor<4xf32>
  %1 = nd.sin %0 : tensor<4xf32>
  %2 = nd.barrier %x : tensor<4xf32>
  %3 = nd.sin %2 : tensor<4xf32>
  %4 = nd.barrier %x : tensor<4xf32>
  func.return %1, %3 : tensor<4xf32>, tensor<4xf32>
}
