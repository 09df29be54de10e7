// RUN: mlc-opt %s -p linearize | FileCheck %s

// The program at a point keeps what its linear map reads: here cos(x). The third function is the second transposed.
// CHECK-LABEL: func.func @main_forward(
// CHECK-SAME:    %x: tensor<?xf64, #nd.sym<n>>) -> (tensor<?xf64, #nd.sym<n>>, tensor<?xf64, #nd.sym<n>>)
// CHECK-NEXT:  %[[Y:.*]] = nd.sin %x
// CHECK-NEXT:  %[[C:.*]] = nd.cos %x
// CHECK-NEXT:  func.return %[[Y]], %[[C]]
// CHECK-LABEL: func.func @main_linear(
// CHECK-SAME:    %[[C:.*]]: tensor<?xf64, #nd.sym<n>>, %[[DX:.*]]: tensor<?xf64, #nd.sym<n>>)
// CHECK-NEXT:  %[[DY:.*]] = nd.mul %[[DX]], %[[C]]
// CHECK-NEXT:  func.return %[[DY]]
// CHECK-LABEL: func.func @main_backward(
// CHECK-SAME:    %[[C:.*]]: tensor<?xf64, #nd.sym<n>>, %[[CT:.*]]: tensor<?xf64, #nd.sym<n>>)
// CHECK-NEXT:  %[[G:.*]] = nd.mul %[[CT]], %[[C]]
// CHECK-NEXT:  func.return %[[G]]
func.func @main(%x: tensor<?xf64, #nd.sym<n>>) -> tensor<?xf64, #nd.sym<n>> {
  %0 = nd.sin %x : tensor<?xf64, #nd.sym<n>>
  func.return %0 : tensor<?xf64, #nd.sym<n>>
}
