// RUN: mlc-opt %s | mlc-opt | FileCheck %s

// CHECK:       graph.results = [#graph.view<result 0, 3, [-1]>]
// CHECK-SAME:  graph.arena = #graph.size<64*((4*b + 63) floordiv 64)>
// CHECK-NEXT:  %0 = graph.launch @exp(%x) {graph.places = [#graph.place<arena 4*b, 16>]} : (tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:  %1 = graph.launch @exp(%0) {graph.places = [#graph.place<result 0, 16>]} : (tensor<4xf32>) -> tensor<4xf32>
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {graph.results = [#graph.view<result 0, 3, [-1]>], graph.arena = #graph.size<64*((4*b + 63) floordiv 64)>} {
  %0 = graph.launch @exp(%x) {graph.places = [#graph.place<arena 4*b, 16>]} : (tensor<4xf32>) -> tensor<4xf32>
  %1 = graph.launch @exp(%0) {graph.places = [#graph.place<result 0, 16>]} : (tensor<4xf32>) -> tensor<4xf32>
  %2 = nd.reverse %1 [0] : tensor<4xf32>
  func.return %2 : tensor<4xf32>
}
func.func private @exp(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.exp %x : tensor<4xf32>
  func.return %0 : tensor<4xf32>
}
