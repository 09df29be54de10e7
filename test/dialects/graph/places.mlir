// RUN: mlc-opt %s | mlc-opt | FileCheck %s

// Places over the counter of a loop, within a buffer, and copies.
// CHECK-LABEL: func.func @f
// CHECK-NEXT:    %0 = graph.copy %x {graph.places = [#graph.place<arena 0, 16>]} : tensor<4xf32>
// CHECK-NEXT:    %r, %s = nd.scan 3 carry (%c = %0) -> (tensor<4xf32>, tensor<3x4xf32>) attributes {graph.trip = "trip$0", graph.places = [#graph.place<arena 0, 16>, #graph.place<result 0, 48>]} {
// CHECK-NEXT:      %1 = graph.launch @exp(%c) {graph.places = [#graph.place<result 0 at 16*trip$0, 16>]}
func.func @f(%x: tensor<4xf32>) -> tensor<3x4xf32> {
  %0 = graph.copy %x {graph.places = [#graph.place<arena 0, 16>]} : tensor<4xf32>
  %r, %s = nd.scan 3 carry (%c = %0) -> (tensor<4xf32>, tensor<3x4xf32>) attributes {graph.trip = "trip$0", graph.places = [#graph.place<arena 0, 16>, #graph.place<result 0, 48>]} {
    %1 = graph.launch @exp(%c) {graph.places = [#graph.place<result 0 at 16*trip$0, 16>]} : (tensor<4xf32>) -> tensor<4xf32>
    nd.yield %c, %1 : tensor<4xf32>, tensor<4xf32>
  }
  func.return %s : tensor<3x4xf32>
}
func.func private @exp(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.exp %x : tensor<4xf32>
  func.return %0 : tensor<4xf32>
}
