// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --mlir-print-op-generic | mlc-opt | FileCheck %s
// The casts of arith on vectors; infinities as bits, also in dense constants.
func.func @casts(%b: vector<4xi1>, %w: vector<4xi32>, %x: vector<4xindex>, %f: vector<4xf32>) {
  %0 = arith.extui %b : vector<4xi1> to vector<4xi8>
  %1 = arith.extsi %w : vector<4xi32> to vector<4xi64>
  %2 = arith.trunci %w : vector<4xi32> to vector<4xi1>
  %3 = arith.sitofp %w : vector<4xi32> to vector<4xf32>
  %4 = arith.uitofp %b : vector<4xi1> to vector<4xf32>
  %5 = arith.fptosi %f : vector<4xf32> to vector<4xi32>
  %6 = arith.fptoui %f : vector<4xf32> to vector<4xi32>
  %7 = arith.index_cast %x : vector<4xindex> to vector<4xi64>
  %8 = arith.index_castui %x : vector<4xindex> to vector<4xi64>
  %9 = arith.remf %f, %f : vector<4xf32>
  %10 = arith.constant dense<0xFF800000> : vector<4xf32>
  %11 = arith.constant 0x7FF0000000000000 : f64
  func.return
}
// CHECK: arith.extui %b : vector<4xi1> to vector<4xi8>
// CHECK: arith.extsi %w : vector<4xi32> to vector<4xi64>
// CHECK: arith.trunci %w : vector<4xi32> to vector<4xi1>
// CHECK: arith.sitofp %w : vector<4xi32> to vector<4xf32>
// CHECK: arith.uitofp %b : vector<4xi1> to vector<4xf32>
// CHECK: arith.fptosi %f : vector<4xf32> to vector<4xi32>
// CHECK: arith.fptoui %f : vector<4xf32> to vector<4xi32>
// CHECK: arith.index_cast %x : vector<4xindex> to vector<4xi64>
// CHECK: arith.index_castui %x : vector<4xindex> to vector<4xi64>
// CHECK: arith.remf %f, %f : vector<4xf32>
// CHECK: arith.constant dense<0xff800000> : vector<4xf32>
// CHECK: arith.constant 0x7ff0000000000000 : f64
