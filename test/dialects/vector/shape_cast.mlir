// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --mlir-print-op-generic | mlc-opt | FileCheck %s
func.func @shape_cast(%a: vector<6xi32>) {
  %c = vector.shape_cast %a : vector<6xi32> to vector<2x1x3xi32>
  func.return
}
// CHECK: %c = vector.shape_cast %a : vector<6xi32> to vector<2x1x3xi32>
