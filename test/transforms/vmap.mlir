// RUN: mlc-opt %s -p 'vmap{size=8 args=0}' | FileCheck %s
// RUN: mlc-opt %s -p vmap | FileCheck %s --check-prefix=SYM

// Only maps and types of what depends on a batched argument grow.
// CHECK-LABEL: func.func @main_vmap(
// CHECK-SAME:    %x: tensor<8x3xf32>, %w: tensor<3x2xf32>) -> tensor<8x2xf32>
// CHECK-NEXT:  %[[W:.*]] = nd.exp %w : tensor<3x2xf32>
// CHECK-NEXT:  %[[Y:.*]] = nd.contract %x, %[[W]] "a b, b c -> a c"
// CHECK-NEXT:  func.return %[[Y]]

// SYM-LABEL: func.func @main_vmap(
// SYM-SAME:    %x: tensor<?x3xf32, #nd.sym<n>>, %w: tensor<?x3x2xf32, #nd.sym<n>>)
// SYM:         nd.contract %x, %{{.*}} "a b, a b c -> a c"
func.func @main(%x: tensor<3xf32>, %w: tensor<3x2xf32>) -> tensor<2xf32> {
  %0 = nd.exp %w : tensor<3x2xf32>
  %1 = nd.contract %x, %0 "a, a b -> b" : (tensor<3xf32>, tensor<3x2xf32>) -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}
