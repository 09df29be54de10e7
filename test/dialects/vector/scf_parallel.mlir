// RUN: mlc-opt %s | FileCheck %s
// RUN: mlc-opt %s | mlc-opt - | FileCheck %s
// scf.parallel has upstream's syntax, with and without values that are combined.

func.func @k(%x: memref<64x64xf32>, %z: f32) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  scf.parallel (%i, %j) = (%c0, %c0) to (%c64, %c64) step (%c1, %c1) {
    %a = memref.load %x[%i, %j] : memref<64x64xf32>
    memref.store %a, %x[%j, %i] : memref<64x64xf32>
  }
  %r = scf.parallel (%i) = (%c0) to (%c64) step (%c1) init (%z) -> f32 {
    %a = memref.load %x[%i, %i] : memref<64x64xf32>
    scf.reduce(%a : f32) {
    ^bb0(%p: f32, %q: f32):
      %s = arith.addf %p, %q : f32
      scf.reduce.return %s : f32
    }
  } {tag}
  func.return %r : f32
}

// CHECK: scf.parallel (%i, %j) = (%c0, %c0) to (%c64, %c64) step (%c1, %c1) {
// CHECK: scf.reduce
// CHECK-NEXT: }
// CHECK: %r = scf.parallel (%i_1) = (%c0) to (%c64) step (%c1) init (%z) -> f32 {
// CHECK: scf.reduce(%a_1 : f32) {
// CHECK: scf.reduce.return %s : f32
// CHECK: } {tag}
