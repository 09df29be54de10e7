// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --mlir-print-op-generic | mlc-opt | FileCheck %s
// The coordinates of a point inside of a body.

func.func @index() -> tensor<12xi32> {
  %y = loop.for i0 = 12 step 4 -> [i0] {
    %t = loop.stage iota [i: 4] () -> [i] {
      %c = loop.index i + i0 : index
      %d = arith.index_cast %c : index to i32
      loop.yield %d : i32
    }
    loop.yield %t : tensor<4xi32>
  }
  func.return %y : tensor<12xi32>
}

// CHECK-LABEL: func.func @index() -> tensor<12xi32>
// CHECK: %y = loop.for i0 = 12 step 4 -> [i0] {
// CHECK: %t = loop.stage iota [i: 4] () -> [i] {
// CHECK: %c = loop.index i + i0 : index
// CHECK: %d = arith.index_cast %c : index to i32
// CHECK: loop.yield %d : i32
// CHECK: loop.yield %t : tensor<4xi32>
// CHECK: func.return %y : tensor<12xi32>
