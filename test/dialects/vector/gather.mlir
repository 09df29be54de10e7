// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --mlir-print-op-generic | mlc-opt | FileCheck %s
func.func @gather(%m: memref<?xf32>, %v: vector<4x8xindex>, %mask: vector<4x8xi1>, %none: vector<4x8xf32>) {
  %c2 = arith.constant 2 : index
  %g = vector.gather %m[%c2] [%v], %mask, %none : memref<?xf32>, vector<4x8xindex>, vector<4x8xi1>, vector<4x8xf32> into vector<4x8xf32>
  func.return
}
// CHECK: %g = vector.gather %m[%c2] [%v], %mask, %none : memref<?xf32>, vector<4x8xindex>, vector<4x8xi1>, vector<4x8xf32> into vector<4x8xf32>
