// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --mlir-print-op-generic | mlc-opt | FileCheck %s
func.func @multi_reduction(%a: vector<2x3xf32>, %z: vector<2xf32>, %s: f32, %b: vector<4xi1>, %t: i1) {
  %rows = vector.multi_reduction <maximumf>, %a, %z [1] : vector<2x3xf32> to vector<2xf32>
  %all = vector.multi_reduction <add>, %a, %s [0, 1] : vector<2x3xf32> to f32
  %any = vector.multi_reduction <or>, %b, %t [0] : vector<4xi1> to i1
  func.return
}
// CHECK: %rows = vector.multi_reduction <maximumf>, %a, %z [1] : vector<2x3xf32> to vector<2xf32>
// CHECK: %all = vector.multi_reduction <add>, %a, %s [0, 1] : vector<2x3xf32> to f32
// CHECK: %any = vector.multi_reduction <or>, %b, %t [0] : vector<4xi1> to i1
