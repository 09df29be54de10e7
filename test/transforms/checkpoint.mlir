// RUN: mlc-opt %s -p grad | FileCheck %s
// RUN: mlc-opt %s -p grad,inline,canonicalize,cse | FileCheck %s --check-prefix=INLINED
// RUN: mlc-opt %s -p grad,nd-to-stablehlo | FileCheck %s --check-prefix=STABLEHLO
// RUN: mlc-opt %s -p grad,inline,canonicalize,graph-fuse | FileCheck %s --check-prefix=FUSED

// STABLEHLO: %[[B:[0-9]+]] = stablehlo.optimization_barrier %arg0 : tensor<64xf32>
// STABLEHLO-NEXT: stablehlo.sine %[[B]]

// FUSED-LABEL: func.func @main_grad
// FUSED: graph.kernel "sin_exp_sum"
// FUSED: graph.kernel "sin_cos_exp_mul"
// FUSED-NOT: nd.barrier

// CHECK-LABEL: func.func @main_grad(%x: tensor<64xf32>)
// CHECK-NEXT:    %0 = nd.checkpoint saves nothing (%v = %x) -> (tensor<64xf32>) {
// CHECK:         nd.reduce sum %0
// CHECK:         %3 = nd.barrier %x : tensor<64xf32>
// CHECK-NEXT:    %4 = nd.checkpoint saves nothing (%5 = %3, %6 = %2) -> (tensor<64xf32>) {
// CHECK-NEXT:      %7 = nd.sin %5
// CHECK-NEXT:      %8 = nd.cos %5
// CHECK-NEXT:      %9 = nd.exp %7
// CHECK-NEXT:      %10 = nd.mul %6, %9
// CHECK-NEXT:      %11 = nd.mul %10, %8
// CHECK-NEXT:      nd.yield %11

// Both sides of the barrier compute the sine and the exponential.
// INLINED-LABEL: func.func @main_grad(%x: tensor<64xf32>)
// INLINED-NEXT:    nd.sin %x
// INLINED-NEXT:    nd.exp
// INLINED-NEXT:    nd.reduce
// INLINED-NEXT:    %[[B:[0-9]+]] = nd.barrier %x
// INLINED-NEXT:    nd.sin %[[B]]
// INLINED-NEXT:    nd.cos %[[B]]
// INLINED-NEXT:    nd.exp
// INLINED-NEXT:    nd.mul
// INLINED-NEXT:    func.return
func.func @main(%x: tensor<64xf32>) -> tensor<f32> {
  %y = nd.checkpoint saves nothing (%v = %x) -> (tensor<64xf32>) {
    %0 = nd.sin %v : tensor<64xf32>
    %1 = nd.exp %0 : tensor<64xf32>
    nd.yield %1 : tensor<64xf32>
  }
  %s = nd.reduce sum %y "a -> " : (tensor<64xf32>) -> tensor<f32>
  func.return %s : tensor<f32>
}
