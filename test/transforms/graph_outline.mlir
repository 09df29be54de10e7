// RUN: mlc-opt %s -p graph-fuse,graph-outline --split-input-file | FileCheck %s

// Kernels that differ in names only are one function.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %0 = graph.launch @exp(%x) : (tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:    %1 = graph.launch @exp(%y) : (tensor<4xf32>) -> tensor<4xf32>
// CHECK:       func.func private @exp(%x: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT:    %0 = nd.exp %x : tensor<4xf32>
// CHECK-NEXT:    func.return %0 : tensor<4xf32>
// CHECK-NOT:   func.func private
func.func @main(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = nd.exp %x : tensor<4xf32>
  %1 = nd.exp %y : tensor<4xf32>
  func.return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// Constants that differ become arguments.
// CHECK-LABEL: func.func @main
// CHECK:         %0 = nd.constant 2.0 : tensor<f32>
// CHECK-NEXT:    %1 = graph.launch @mul(%x, %0)
// CHECK-NEXT:    %2 = nd.constant 3.0 : tensor<f32>
// CHECK-NEXT:    %3 = graph.launch @mul(%y, %2)
// CHECK:       func.func private @mul(%x: tensor<4xf32>, %0: tensor<f32>) -> tensor<4xf32> {
// CHECK-NEXT:    %1 = nd.broadcast %0 " -> a"
// CHECK-NEXT:    %2 = nd.mul %x, %1
func.func @main(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = nd.constant 2.0 : tensor<4xf32>
  %1 = nd.constant 3.0 : tensor<4xf32>
  %2 = nd.mul %x, %0 : tensor<4xf32>
  %3 = nd.mul %y, %1 : tensor<4xf32>
  func.return %2, %3 : tensor<4xf32>, tensor<4xf32>
}

// -----

// A transposed argument is another kernel than rows.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %0 = graph.launch @exp(%x)
// CHECK-NEXT:    %1 = nd.transpose %x
// CHECK-NEXT:    %2 = graph.launch @exp_1(%1)
// CHECK:       func.func private @exp(%x: tensor<4x4xf32>)
// CHECK:       func.func private @exp_1(%{{.*}}: tensor<4x4xf32> {mlc.layout = strided<[1, 4]>})
func.func @main(%x: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %0 = nd.exp %x : tensor<4x4xf32>
  %1 = nd.transpose %x "a b -> b a" : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = nd.exp %1 : tensor<4x4xf32>
  func.return %0, %2 : tensor<4x4xf32>, tensor<4x4xf32>
}
