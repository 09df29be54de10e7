// RUN: mlc-opt %s -p cse --mlir-print-debuginfo | FileCheck %s

// The one that stays carries both places; add and mul are equal in either order, sub is not.
// CHECK-LABEL: func.func @merge
// CHECK-NEXT:    %0 = nd.add %x, %y : tensor<4xf32> loc(fused["{{.*}}cse.mlir":13:3, "{{.*}}cse.mlir":14:3])
// CHECK-NEXT:    %1 = nd.sub %x, %y : tensor<4xf32>
// CHECK-NEXT:    %2 = nd.sub %y, %x : tensor<4xf32>
// CHECK-NEXT:    %3 = nd.mul %0, %0 : tensor<4xf32>
// CHECK-NEXT:    %4 = nd.compare gt %1, %2
// CHECK-NEXT:    %5 = nd.compare lt %1, %2
// CHECK-NEXT:    func.return %3, %4, %5
func.func @merge(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xi1>, tensor<4xi1>) {
  %0 = nd.add %x, %y : tensor<4xf32>
  %1 = nd.add %y, %x : tensor<4xf32>
  %2 = nd.sub %x, %y : tensor<4xf32>
  %3 = nd.sub %y, %x : tensor<4xf32>
  %4 = nd.mul %0, %1 : tensor<4xf32>
  %5 = nd.compare gt %2, %3 : tensor<4xf32> -> tensor<4xi1>
  %6 = nd.compare lt %2, %3 : tensor<4xf32> -> tensor<4xi1>
  func.return %4, %5, %6 : tensor<4xf32>, tensor<4xi1>, tensor<4xi1>
}

// Ops with effects are never merged, and neither are constants that differ in the sign of zero.
// CHECK-LABEL: func.func @effects
// CHECK:         func.call @tick
// CHECK:         func.call @tick
// CHECK:         nd.constant 0.0
// CHECK:         nd.constant -0.0
func.func @effects() -> (tensor<f32>, tensor<f32>) {
  func.call @tick() : () -> ()
  func.call @tick() : () -> ()
  %0 = nd.constant 0.0 : tensor<f32>
  %1 = nd.constant -0.0 : tensor<f32>
  func.return %0, %1 : tensor<f32>, tensor<f32>
}

func.func private @tick() -> ()

// Inside a region an equal op from outside serves; two regions do not share what only one of them computes.
// CHECK-LABEL: func.func @regions
// CHECK:         scf.if
// CHECK-NEXT:      %[[A:.*]] = nd.exp %[[Y:.*]] : tensor<4xf32>
// CHECK-NEXT:      scf.yield %[[A]]
// CHECK:         } else {
// CHECK-NEXT:      %[[B:.*]] = nd.exp %[[Y]] : tensor<4xf32>
// CHECK-NEXT:      %[[C:.*]] = nd.sin %[[B]] : tensor<4xf32>
func.func @regions(%p: i1, %x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nd.neg %x : tensor<4xf32>
  %0 = scf.if %p -> (tensor<4xf32>) {
    %1 = nd.neg %x : tensor<4xf32>
    %2 = nd.exp %1 : tensor<4xf32>
    scf.yield %2 : tensor<4xf32>
  } else {
    %1 = nd.exp %y : tensor<4xf32>
    %2 = nd.sin %1 : tensor<4xf32>
    scf.yield %2 : tensor<4xf32>
  }
  func.return %0 : tensor<4xf32>
}
