// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --mlir-print-op-generic | mlc-opt | FileCheck %s
// A stage: named axes with a kind, accesses, a scalar body, results with a mode.

func.func @stage(%x: tensor<6x16xf32>, %y: tensor<16xi32>) -> (tensor<6xf32>, tensor<16x6xf32>, tensor<16xi1>) {
  %s, %t = loop.stage two [i: 6, j: vec 16] (%a = %x[-i + 5, j]) -> add [i], stream [j, i] {
    loop.yield %a, %a : f32, f32
  }
  %p = loop.stage parity [j0: 4, j: 4] (%a = %y[4 * j0 + j]) -> [4 * j0 + j] {
    %b = arith.trunci %a : i32 to i1
    loop.yield %b : i1
  }
  func.return %s, %t, %p : tensor<6xf32>, tensor<16x6xf32>, tensor<16xi1>
}

// CHECK-LABEL: func.func @stage(%x: tensor<6x16xf32>, %y: tensor<16xi32>) -> (tensor<6xf32>, tensor<16x6xf32>, tensor<16xi1>)
// CHECK: %s, %t = loop.stage two [i: 6, j: vec 16] (%a = %x[-i + 5, j]) -> add [i], stream [j, i] {
// CHECK: loop.yield %a, %a : f32, f32
// CHECK: %p = loop.stage parity [j0: 4, j: 4] (%a_1 = %y[4 * j0 + j]) -> [4 * j0 + j] {
// CHECK: %b = arith.trunci %a_1 : i32 to i1
// CHECK: loop.yield %b : i1
// CHECK: func.return %s, %t, %p : tensor<6xf32>, tensor<16x6xf32>, tensor<16xi1>
