// RUN: mlc-opt %s -p 'loop-split{axis=i size=4},loop-vectorize{axes=i},lower-loop' | FileCheck %s --check-prefix=WIDTH4
// RUN: mlc-opt %s -p 'loop-split{axis=i size=16},loop-vectorize{axes=i},lower-loop' | FileCheck %s --check-prefix=WIDTH16
// RUN: mlc-opt %s -p 'lower-loop' | FileCheck %s --check-prefix=SCALAR
// An addition of 256 elements: 64 iterations at width 4, 16 at width 16; one element at a time where no axis is vec.

func.func @add(%x: tensor<256xf32>, %y: tensor<256xf32>) -> tensor<256xf32> {
  %z = loop.stage add [i: 256] (%a = %x[i], %b = %y[i]) -> [i] {
    %c = arith.addf %a, %b : f32
    loop.yield %c : f32
  }
  func.return %z : tensor<256xf32>
}

// WIDTH4-LABEL: func.func @add(%x: memref<256xf32>, %y: memref<256xf32>, %out0: memref<256xf32>) {
// WIDTH4-DAG: %c0 = arith.constant 0 : index
// WIDTH4-DAG: %c1 = arith.constant 1 : index
// WIDTH4-DAG: %c64 = arith.constant 64 : index
// WIDTH4: scf.for %i0 = %c0 to %c64 step %c1 {
// WIDTH4-NEXT: %[[AT:.*]] = affine.apply affine_map<(d0) -> ((d0 * 4))> (%i0)
// WIDTH4-NEXT: %a = vector.transfer_read %x[%[[AT]]], %{{.*}} {in_bounds = [true]} : memref<256xf32>, vector<4xf32>
// WIDTH4-NEXT: %b = vector.transfer_read %y[%[[AT]]], %{{.*}} {in_bounds = [true]} : memref<256xf32>, vector<4xf32>
// WIDTH4-NEXT: %c = arith.addf %a, %b : vector<4xf32>
// WIDTH4-NEXT: vector.transfer_write %c, %out0[%[[AT]]] {in_bounds = [true]} : vector<4xf32>, memref<256xf32>
// WIDTH4-NEXT: }
// WIDTH4-NEXT: func.return

// WIDTH16: %c16 = arith.constant 16 : index
// WIDTH16: scf.for %i0 = %c0 to %c16 step %c1 {
// WIDTH16: arith.addf %a, %b : vector<16xf32>
// WIDTH16-NOT: vector<4xf32>

// SCALAR: scf.for %i = %c0 to %c256 step %c1 {
// SCALAR-NEXT: %a = memref.load %x[%i] : memref<256xf32>
// SCALAR-NEXT: %b = memref.load %y[%i] : memref<256xf32>
// SCALAR-NEXT: %c = arith.addf %a, %b : f32
// SCALAR-NEXT: memref.store %c, %out0[%i] : memref<256xf32>
