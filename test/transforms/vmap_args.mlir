// RUN: mlc-opt %s -p 'vmap{size=8 args=0}' | FileCheck %s
// RUN: mlc-opt %s -p 'vmap' | FileCheck %s --check-prefix=SYMBOL
// RUN: mlc-opt %s -p 'vmap{entry=shared size=8 args=1}' | FileCheck %s --check-prefix=SHARED

// Maps grow a letter; the argument that is not batched keeps its own.
// CHECK-LABEL: func.func @main_vmap(%x: tensor<8x4x3xf32>, %w: tensor<3x2xf32>) -> tensor<8xf32> {
// CHECK-NEXT:    nd.contract %x, %w "a b c, c d -> a b d"
// CHECK-NEXT:    nd.tanh %{{.*}} : tensor<8x4x2xf32>
// CHECK-NEXT:    nd.reduce sum %{{.*}} "a b c -> a"
// CHECK-NEXT:    func.return

// SYMBOL-LABEL: func.func @main_vmap(%x: tensor<?x4x3xf32, #nd.sym<n>>, %w: tensor<?x3x2xf32, #nd.sym<n>>) -> tensor<?xf32, #nd.sym<n>> {
// SYMBOL-NEXT:    nd.contract %x, %w "a b c, a c d -> a b d"
func.func @main(%x: tensor<4x3xf32>, %w: tensor<3x2xf32>) -> tensor<f32> {
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<4x3xf32>, tensor<3x2xf32>) -> tensor<4x2xf32>
  %1 = nd.tanh %0 : tensor<4x2xf32>
  %2 = nd.reduce sum %1 "a b -> " : (tensor<4x2xf32>) -> tensor<f32>
  func.return %2 : tensor<f32>
}

// What reads nothing batched stays as it is, and is replicated at the end.
// SHARED-LABEL: func.func @shared_vmap(%x: tensor<3xf32>, %y: tensor<8x3xf32>) -> (tensor<8x3xf32>, tensor<8x3xf32>) {
// SHARED-NEXT:    %[[E:.*]] = nd.exp %x : tensor<3xf32>
// SHARED-NEXT:    %[[B:.*]] = nd.broadcast %[[E]] "a -> b a"
// SHARED-NEXT:    %[[S:.*]] = nd.add %[[B]], %y : tensor<8x3xf32>
// SHARED-NEXT:    %[[R:.*]] = nd.broadcast %[[E]] "a -> b a"
// SHARED-NEXT:    func.return %[[R]], %[[S]]
func.func @shared(%x: tensor<3xf32>, %y: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %0 = nd.exp %x : tensor<3xf32>
  %1 = nd.add %0, %y : tensor<3xf32>
  func.return %0, %1 : tensor<3xf32>, tensor<3xf32>
}
