// RUN: mlc-opt %s -p 'graph-fuse{apart=true}' | FileCheck %s

// Every op that computes has a kernel of its own, in regions too; views stay between them.

// CHECK-LABEL: @main
// CHECK:       graph.kernel "exp"
// CHECK:       nd.transpose
// CHECK:       graph.kernel "mul"
// CHECK:       graph.kernel "sum"
// CHECK:       nd.scan
// CHECK:       graph.kernel "neg"
// CHECK:       graph.kernel "exp"
func.func @main(%x: tensor<4x8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %0 = nd.exp %x : tensor<4x8xf32>
  %1 = nd.transpose %0 "a b -> b a" : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %2 = nd.mul %1, %1 : tensor<8x4xf32>
  %3 = nd.reduce sum %2 "a b -> a" : (tensor<8x4xf32>) -> tensor<8xf32>
  %4 = nd.scan 3 carry (%c = %3) -> (tensor<8xf32>) {
    %5 = nd.neg %c : tensor<8xf32>
    %6 = nd.exp %5 : tensor<8xf32>
    nd.yield %6 : tensor<8xf32>
  }
  func.return %3, %4 : tensor<8xf32>, tensor<8xf32>
}
