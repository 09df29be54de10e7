// RUN: mlc-opt %s --split-input-file | mlc-opt --split-input-file | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: func.func @f
// CHECK-NEXT:    %0, %1 = graph.kernel "exp_sum" (%a = %x) -> (tensor<4xf32>, tensor<f32>) attributes {note = "kept"} {
// CHECK-NEXT:      %2 = nd.exp %a : tensor<4xf32>
// CHECK-NEXT:      %3 = nd.reduce sum %2 "a -> "
// CHECK-NEXT:      graph.yield %2, %3 : tensor<4xf32>, tensor<f32>
func.func @f(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<f32>) {
  %0, %1 = graph.kernel "exp_sum" (%a = %x) -> (tensor<4xf32>, tensor<f32>) attributes {note = "kept"} {
    %2 = nd.exp %a : tensor<4xf32>
    %3 = nd.reduce sum %2 "a -> " : (tensor<4xf32>) -> tensor<f32>
    graph.yield %2, %3 : tensor<4xf32>, tensor<f32>
  }
  func.return %0, %1 : tensor<4xf32>, tensor<f32>
}
