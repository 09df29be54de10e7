// RUN: mlc-opt %s -p lower-loop --split-input-file | FileCheck %s

// A line is copied, runs of eight are sorted by insertion, runs merged from both ends and back.
// CHECK-LABEL: func.func @values(%x: memref<4x20xf32>, %out0: memref<4x20xf32>)
// CHECK-COUNT-2: memref.alloc() {alignment = 64 : i64} : memref<20xi32>
// CHECK:         scf.for %[[I:.*]] = %c0 to %c4
// CHECK:           scf.for
// CHECK:             memref.load %x
// CHECK-NEXT:        arith.bitcast %{{.*}} : f32 to i32
// CHECK-NEXT:        memref.store
// CHECK:           scf.for %{{.*}} = %c0 to %c20 step %c8
// CHECK:             scf.for
// CHECK:               scf.for {{.*}} iter_args(%{{.*}}) -> (i32)
// CHECK:                 arith.cmpf ugt
// CHECK:                 arith.cmpf ord
// CHECK:           scf.for %{{.*}} = %c0 to %c1 step %c1 iter_args(%{{.*}} = %c8) -> (index)
// CHECK:             scf.for %{{.*}} = %c0 to %{{.*}} step %c1 iter_args(%{{.*}} = %c0, %{{.*}} = %c0) -> (index, index)
// CHECK:             memref.store %{{.*}}, %out0[%[[I]], %{{.*}}]
func.func @values(%x: tensor<4x20xf32>) -> tensor<4x20xf32> {
  %0 = loop.sort %x along 1
  func.return %0 : tensor<4x20xf32>
}

// -----

// Positions move with keys that are integers in the order of the floats; the size is known at run time.
// CHECK-LABEL: func.func @positions
// CHECK:         %[[N:.*]] = memref.dim %x
// CHECK:         memref.alloc(%[[N]]) {alignment = 64 : i64} : memref<?xi32>
// CHECK:         memref.alloc(%[[N]]) {alignment = 64 : i64} : memref<?xi64>
// CHECK:         arith.addf
// CHECK:         arith.xori
// CHECK-NOT:     arith.cmpf ugt
// CHECK:         func.return
func.func @positions(%x: tensor<?xf32, #nd.sym<n>>) -> tensor<?xi64, #nd.sym<n>> {
  loop.size n = %x, 0
  %0 = loop.sort %x along 0 positions
  func.return %0 : tensor<?xi64, #nd.sym<n>>
}

// -----

// A result in registers is put into memory for a sort to read.
// CHECK-LABEL: func.func @of_a_vector
// CHECK:         vector.transfer_write
// CHECK:         memref.load
func.func @of_a_vector(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = loop.stage neg [i: vec 8] (%a = %x[i]) -> [i] {
    %1 = arith.negf %a : f32
    loop.yield %1 : f32
  }
  %2 = loop.sort %0 along 0
  func.return %2 : tensor<8xf32>
}
