// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --mlir-print-op-generic | mlc-opt | FileCheck %s
func.func @step() {
  %n = vector.step : vector<16xindex>
  func.return
}
// CHECK: %n = vector.step : vector<16xindex>
