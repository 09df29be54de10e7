// RUN: mlc-opt %s -p graph-wrap | FileCheck %s

// CHECK-LABEL: func.func @main(
// CHECK-SAME:    %x: tensor<8xf32> {mlc.layout = strided<[-1]>}) -> tensor<f32>
// CHECK-NEXT:  %[[S:.*]] = graph.launch @main_kernel(%x) : (tensor<8xf32>) -> tensor<f32>
// CHECK-NEXT:  func.return %[[S]]
// CHECK:       func.func private @main_kernel(%x: tensor<8xf32> {mlc.layout = strided<[-1]>}) -> tensor<f32>
// CHECK:         loop.stage sum
func.func @main(%x: tensor<8xf32> {mlc.layout = strided<[-1]>}) -> tensor<f32> {
  %s = loop.stage sum [i: 8] (%a = %x[i]) -> add [] {
    loop.yield %a : f32
  }
  func.return %s : tensor<f32>
}


// CHECK-LABEL: func.func @tensors(
// CHECK-NEXT:  nd.exp
func.func @tensors(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = nd.exp %x : tensor<8xf32>
  func.return %0 : tensor<8xf32>
}
