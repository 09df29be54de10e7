// RUN: mlc-opt %s | FileCheck %s
// Rules of a file, which rules.mlir applies.

!V = tensor<?x!nd.dtype<T>, #nd.sym<...>>
// CHECK: graph.rule @magnitude_of_square(%x: tensor<?x!nd.dtype<T>, #nd.sym<...>>) simplify exact in squares where float(T) {
graph.rule @magnitude_of_square(%x: !V) simplify exact in squares where float(T) {
  %0 = nd.mul %x, %x : !V
  %1 = nd.abs %0 : !V
  graph.roots %1 : !V
} => {
  %0 = nd.mul %x, %x : !V
  graph.roots %0 : !V
}
