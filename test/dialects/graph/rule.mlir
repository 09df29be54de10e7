// RUN: mlc-opt %s | FileCheck %s
// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --mlir-print-op-generic | mlc-opt | FileCheck %s

!T = !nd.dtype<T>

// Three roots, any number of leading dimensions, any element type; a condition on sizes.
// CHECK-LABEL: graph.rule @merge_three_products(%x: tensor<?x?x?x!nd.dtype<T>, #nd.sym<..., n, k>>, %u: tensor<?x?x!nd.dtype<T>, #nd.sym<k, p>>,
// CHECK-SAME:    simplify ieee where static(p, q, r) {
// CHECK-NEXT:    %0 = nd.contract %x, %u "a b c, c d -> a b d"
// CHECK:         graph.roots %0, %1, %2 :
// CHECK-NEXT:  } => {
// CHECK-NEXT:    %0 = nd.concat %u, %v, %w along [1]
// CHECK:         %4 = nd.slice %1 from [0, 0, p + q] step [1, 1, 1]
// CHECK-NEXT:    graph.roots %2, %3, %4 :
graph.rule @merge_three_products(%x: tensor<?x?x?x!T, #nd.sym<..., n, k>>, %u: tensor<?x?x!T, #nd.sym<k, p>>,
                                 %v: tensor<?x?x!T, #nd.sym<k, q>>, %w: tensor<?x?x!T, #nd.sym<k, r>>)
    simplify ieee where static(p, q, r) {
  %0 = nd.contract %x, %u "a b c, c d -> a b d" : (tensor<?x?x?x!T, #nd.sym<..., n, k>>, tensor<?x?x!T, #nd.sym<k, p>>) -> tensor<?x?x?x!T, #nd.sym<..., n, p>>
  %1 = nd.contract %x, %v "a b c, c d -> a b d" : (tensor<?x?x?x!T, #nd.sym<..., n, k>>, tensor<?x?x!T, #nd.sym<k, q>>) -> tensor<?x?x?x!T, #nd.sym<..., n, q>>
  %2 = nd.contract %x, %w "a b c, c d -> a b d" : (tensor<?x?x?x!T, #nd.sym<..., n, k>>, tensor<?x?x!T, #nd.sym<k, r>>) -> tensor<?x?x?x!T, #nd.sym<..., n, r>>
  graph.roots %0, %1, %2 : tensor<?x?x?x!T, #nd.sym<..., n, p>>, tensor<?x?x?x!T, #nd.sym<..., n, q>>, tensor<?x?x?x!T, #nd.sym<..., n, r>>
} => {
  %0 = nd.concat %u, %v, %w along [1] : (tensor<?x?x!T, #nd.sym<k, p>>, tensor<?x?x!T, #nd.sym<k, q>>, tensor<?x?x!T, #nd.sym<k, r>>) -> tensor<?x?x!T, #nd.sym<k, p + q + r>>
  %1 = nd.contract %x, %0 "a b c, c d -> a b d" : (tensor<?x?x?x!T, #nd.sym<..., n, k>>, tensor<?x?x!T, #nd.sym<k, p + q + r>>) -> tensor<?x?x?x!T, #nd.sym<..., n, p + q + r>>
  %2 = nd.slice %1 from [0, 0, 0] step [1, 1, 1] : tensor<?x?x?x!T, #nd.sym<..., n, p + q + r>> -> tensor<?x?x?x!T, #nd.sym<..., n, p>>
  %3 = nd.slice %1 from [0, 0, p] step [1, 1, 1] : tensor<?x?x?x!T, #nd.sym<..., n, p + q + r>> -> tensor<?x?x?x!T, #nd.sym<..., n, q>>
  %4 = nd.slice %1 from [0, 0, p + q] step [1, 1, 1] : tensor<?x?x?x!T, #nd.sym<..., n, p + q + r>> -> tensor<?x?x?x!T, #nd.sym<..., n, r>>
  graph.roots %2, %3, %4 : tensor<?x?x?x!T, #nd.sym<..., n, p>>, tensor<?x?x?x!T, #nd.sym<..., n, q>>, tensor<?x?x?x!T, #nd.sym<..., n, r>>
}

// Any stride, dilation and padding: `row` is whatever index of b and c stands there.
// CHECK-LABEL: graph.rule @scale_of_convolution
// CHECK-SAME:    simplify ieee where float(T) {
// CHECK-NEXT:    %0 = nd.contract %x, %k "a row(b+c) d, c d e -> a b e" to tensor<?x?x?x!nd.dtype<T>, #nd.sym<n, p, o>>
graph.rule @scale_of_convolution(%x: tensor<?x?x?x!T, #nd.sym<n, l, c>>, %k: tensor<?x?x?x!T, #nd.sym<i, c, o>>, %scale: tensor<?x!T, #nd.sym<o>>)
    simplify ieee where float(T) {
  %0 = nd.contract %x, %k "a row(b+c) d, c d e -> a b e" to tensor<?x?x?x!T, #nd.sym<n, p, o>> : (tensor<?x?x?x!T, #nd.sym<n, l, c>>, tensor<?x?x?x!T, #nd.sym<i, c, o>>) -> tensor<?x?x?x!T, #nd.sym<n, p, o>>
  %1 = nd.broadcast %scale "a -> b c a" : tensor<?x!T, #nd.sym<o>> -> tensor<?x?x?x!T, #nd.sym<n, p, o>>
  %2 = nd.mul %0, %1 : tensor<?x?x?x!T, #nd.sym<n, p, o>>
  graph.roots %2 : tensor<?x?x?x!T, #nd.sym<n, p, o>>
} => {
  %0 = nd.broadcast %scale "a -> b c a" : tensor<?x!T, #nd.sym<o>> -> tensor<?x?x?x!T, #nd.sym<i, c, o>>
  %1 = nd.mul %k, %0 : tensor<?x?x?x!T, #nd.sym<i, c, o>>
  %2 = nd.contract %x, %1 "a row(b+c) d, c d e -> a b e" to tensor<?x?x?x!T, #nd.sym<n, p, o>> : (tensor<?x?x?x!T, #nd.sym<n, l, c>>, tensor<?x?x?x!T, #nd.sym<i, c, o>>) -> tensor<?x?x?x!T, #nd.sym<n, p, o>>
  graph.roots %2 : tensor<?x?x?x!T, #nd.sym<n, p, o>>
}

// A constant in an open element type; an equality for a search.
// CHECK-LABEL: graph.rule @twice(%x: tensor<?x!nd.dtype<T>, #nd.sym<n>>) explore exact {
// CHECK-NEXT:    %0 = nd.add %x, %x : tensor<?x!nd.dtype<T>, #nd.sym<n>>
// CHECK:         %0 = nd.constant 2.0 : tensor<?x!nd.dtype<T>, #nd.sym<n>>
graph.rule @twice(%x: tensor<?x!T, #nd.sym<n>>) explore exact {
  %0 = nd.add %x, %x : tensor<?x!T, #nd.sym<n>>
  graph.roots %0 : tensor<?x!T, #nd.sym<n>>
} => {
  %0 = nd.constant 2.0 : tensor<?x!T, #nd.sym<n>>
  %1 = nd.mul %x, %0 : tensor<?x!T, #nd.sym<n>>
  graph.roots %1 : tensor<?x!T, #nd.sym<n>>
}
