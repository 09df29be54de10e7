// RUN: mlc-opt %s
// A rule that is none, which rules.mlir refuses.

!V = tensor<?x!nd.dtype<T>, #nd.sym<n>>
graph.rule @forgets_the_scale(%x: !V, %scale: !V) simplify fast where float(T) {
  %0 = nd.mul %x, %scale : !V
  %1 = nd.add %0, %scale : !V
  graph.roots %1 : !V
} => {
  %0 = nd.add %x, %scale : !V
  graph.roots %0 : !V
}
