// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --mlir-print-op-generic | mlc-opt | FileCheck %s
// The lines of one dimension in order; `positions` gives where each element comes from.

func.func @sort(%x: tensor<10x8xf32>, %i: tensor<4xi8>) -> (tensor<10x8xf32>, tensor<10x8xi64>, tensor<4xi8>) {
  %y = loop.sort %x along 0
  %p = loop.sort %x along 1 descending positions
  %j = loop.sort %i along 0 unsigned
  func.return %y, %p, %j : tensor<10x8xf32>, tensor<10x8xi64>, tensor<4xi8>
}

// CHECK-LABEL: func.func @sort
// CHECK: %y = loop.sort %x along 0
// CHECK: %p = loop.sort %x along 1 descending positions
// CHECK: %j = loop.sort %i along 0 unsigned
// CHECK: func.return %y, %p, %j : tensor<10x8xf32>, tensor<10x8xi64>, tensor<4xi8>
