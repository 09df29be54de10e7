// RUN: mlc-opt %s -p graph-outline | FileCheck %s

// Arguments that are constants say so. What depends on constants alone is prepared, if only kernels read it.
// CHECK-LABEL: func.func @main
// CHECK:         %0 = graph.prepare @exp(%w) : (tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:    %1 = graph.launch @add(%x, %0)
// CHECK-NEXT:    %2 = graph.launch @sum(%w)
// CHECK-NEXT:    func.return %1, %2
// CHECK:       func.func private @exp(%a: tensor<4xf32> {mlc.constant}) -> tensor<4xf32> {
// CHECK:       func.func private @add(%c: tensor<4xf32>, %d: tensor<4xf32> {mlc.constant}) -> tensor<4xf32> {
func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<f32>) {
  %w = nd.resource "w", "00000000000000000000000000000000" : tensor<4xf32>
  %0 = graph.kernel "exp" (%a = %w) -> (tensor<4xf32>) {
    %1 = nd.exp %a : tensor<4xf32>
    graph.yield %1 : tensor<4xf32>
  }
  %1 = graph.kernel "add" (%c = %x, %d = %0) -> (tensor<4xf32>) {
    %2 = nd.add %c, %d : tensor<4xf32>
    graph.yield %2 : tensor<4xf32>
  }
  %2 = graph.kernel "sum" (%b = %w) -> (tensor<f32>) {
    %3 = nd.reduce sum %b "a -> " : (tensor<4xf32>) -> tensor<f32>
    graph.yield %3 : tensor<f32>
  }
  func.return %1, %2 : tensor<4xf32>, tensor<f32>
}
