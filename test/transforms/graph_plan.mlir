// RUN: mlc-opt %s -p graph-fuse,graph-outline,graph-plan --split-input-file | FileCheck %s

// Products alternate between two buffers; the last one is the result.
// CHECK-LABEL: func.func @main
// CHECK-SAME:    graph.results = [#graph.view<result 0, 0, [1, 16]>]
// CHECK-SAME:    graph.arena = #graph.size<2048>
// CHECK:         graph.places = [#graph.place<arena 0, 1024>]
// CHECK-NEXT:    graph.places = [#graph.place<arena 1024, 1024>]
// CHECK-NEXT:    graph.places = [#graph.place<arena 0, 1024>]
// CHECK-NEXT:    graph.places = [#graph.place<result 0, 1024>]
func.func @main(%x: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %0 = nd.contract %x, %x "a b, b c -> a c" : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  %1 = nd.contract %0, %0 "a b, b c -> a c" : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  %2 = nd.contract %1, %1 "a b, b c -> a c" : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  %3 = nd.contract %2, %2 "a b, b c -> a c" : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  %4 = nd.transpose %3 "a b -> b a" : (tensor<16x16xf32>) -> tensor<16x16xf32>
  func.return %4 : tensor<16x16xf32>
}

// -----

// A donated argument is updated in place: the kernel's loops may not read an element twice.
// CHECK-LABEL: func.func @main
// CHECK:         graph.places = [#graph.place<argument 0, 64>]
// CHECK:       func.func private @mul_sub(%g: tensor<16xf32> {llvm.noalias}, %w: tensor<16xf32> {mlc.inplace = 0 : i64}) -> (tensor<16xf32>)
func.func @main(%w: tensor<16xf32>, %g: tensor<16xf32>) -> tensor<16xf32> attributes {mlc.donated = [0]} {
  %0 = nd.constant 0.1 : tensor<16xf32>
  %1 = nd.mul %g, %0 : tensor<16xf32>
  %2 = nd.sub %w, %1 : tensor<16xf32>
  func.return %2 : tensor<16xf32>
}

// -----

// Sizes known at run time: offsets are expressions.
// CHECK-LABEL: func.func @main
// CHECK-SAME:    graph.arena = #graph.size<64*b>
// CHECK:         graph.places = [#graph.place<arena 0, 64*b>]
// CHECK:         graph.places = [#graph.place<result 0, 64>]
func.func @main(%x: tensor<?x16xf32, #nd.sym<b>>, %w: tensor<16x16xf32>) -> tensor<16xf32> {
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<?x16xf32, #nd.sym<b>>, tensor<16x16xf32>) -> tensor<?x16xf32, #nd.sym<b>>
  %1 = nd.reduce sum %0 "a b -> b" : (tensor<?x16xf32, #nd.sym<b>>) -> tensor<16xf32>
  func.return %1 : tensor<16xf32>
}
