// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --mlir-print-op-generic | mlc-opt | FileCheck %s
// arith.select takes one condition, or one for each element.
func.func @select(%c: i1, %v: vector<4xi1>, %a: vector<4xf32>, %s: f32) {
  %one = arith.select %c, %a, %a : vector<4xf32>
  %each = arith.select %v, %a, %a : vector<4xi1>, vector<4xf32>
  %scalar = arith.select %c, %s, %s : f32
  func.return
}
// CHECK: %one = arith.select %c, %a, %a : vector<4xf32>
// CHECK: %each = arith.select %v, %a, %a : vector<4xi1>, vector<4xf32>
// CHECK: %scalar = arith.select %c, %s, %s : f32
