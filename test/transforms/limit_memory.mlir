// RUN: mlc-opt %s -p graph-fuse,graph-outline,graph-plan | FileCheck %s --check-prefix=USUAL
// RUN: mlc-opt %s -p limit-memory{bytes=1280},graph-fuse,graph-outline,graph-order,graph-plan | FileCheck %s
// RUN: mlc-opt %s -p limit-memory{bytes=4096},graph-fuse,graph-outline,graph-order,graph-plan | FileCheck %s --check-prefix=FITS
// RUN: not mlc-opt %s -p limit-memory{bytes=64} 2>&1 | FileCheck %s --check-prefix=REFUSED
// RUN: not mlc-opt %s -p limit-memory{bytes=64} -o /dev/null 2>&1 | FileCheck %s --check-prefix=HELD

// Two large values at once, as written; one after the other where that does not fit.
// USUAL:   graph.arena = #graph.size<2176>
// CHECK:   func.func @main
// CHECK-SAME: mlc.least_memory
// CHECK-SAME: graph.arena = #graph.size<1280>
// FITS-NOT: mlc.least_memory
// FITS:    graph.arena = #graph.size<2176>
// REFUSED: limit_memory.mlir:{{[0-9]+}}:1: error: memory_limit: expected a program within 64 bytes, found none; the smallest limit that works is
// HELD:    note: held while {{matmul.*}} runs: tensor<16x16xf32>, 1024 bytes, {{.*}}limit_memory.mlir:
func.func @main(%x: tensor<16x16xf32>, %y: tensor<16x16xf32>, %w: tensor<16x16xf32>, %v: tensor<16x2xf32>) -> tensor<2x2xf32> {
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  %1 = nd.contract %y, %w "a b, b c -> a c" : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  %2 = nd.contract %0, %v "a b, a c -> b c" : (tensor<16x16xf32>, tensor<16x2xf32>) -> tensor<16x2xf32>
  %3 = nd.contract %1, %v "a b, b c -> a c" : (tensor<16x16xf32>, tensor<16x2xf32>) -> tensor<16x2xf32>
  %4 = nd.contract %2, %3 "a b, a c -> b c" : (tensor<16x2xf32>, tensor<16x2xf32>) -> tensor<2x2xf32>
  func.return %4 : tensor<2x2xf32>
}
