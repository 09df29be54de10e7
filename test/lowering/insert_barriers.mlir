// RUN: mlc-opt %s --split-input-file -p "insert-barriers" | FileCheck %s

// A loop: before what was written is read, and before it is written again in the next iteration.
// CHECK-LABEL: @ring
// CHECK: scf.for
// CHECK-NEXT: gpu.barrier
// CHECK-NEXT: memref.store
// CHECK-NEXT: gpu.barrier
// CHECK-NEXT: memref.load %s
// CHECK-NOT: gpu.barrier
func.func @ring(%x: memref<256xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c256 = arith.constant 256 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %s = memref.alloc() : memref<256xf32, #gpu.address_space<workgroup>>
    %v = memref.load %x[%tx] : memref<256xf32>
    scf.for %k = %c0 to %c8 step %c1 {
      memref.store %v, %s[%tx] : memref<256xf32, #gpu.address_space<workgroup>>
      %w = memref.load %s[%k] : memref<256xf32, #gpu.address_space<workgroup>>
      memref.store %w, %x[%tx] : memref<256xf32>
    }
    gpu.terminator
  }
  func.return
}

// -----

// What a thread reads at the place where it wrote needs none; threads that go different ways count as one op.
// CHECK-LABEL: @own
// CHECK: memref.store
// CHECK-NEXT: memref.load
// CHECK-NEXT: arith.cmpi
// CHECK-NEXT: gpu.barrier
// CHECK-NEXT: scf.if
// CHECK-NEXT: memref.load
// CHECK-NOT: gpu.barrier
func.func @own(%x: memref<256xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c256 = arith.constant 256 : index
  %f = arith.constant 1.0 : f32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %s = memref.alloc() : memref<256xf32, #gpu.address_space<workgroup>>
    memref.store %f, %s[%tx] : memref<256xf32, #gpu.address_space<workgroup>>
    %v = memref.load %s[%tx] : memref<256xf32, #gpu.address_space<workgroup>>
    %first = arith.cmpi eq, %tx, %c0 : index
    scf.if %first {
      %w = memref.load %s[%c1] : memref<256xf32, #gpu.address_space<workgroup>>
      memref.store %w, %x[%c0] : memref<256xf32>
    }
    gpu.terminator
  }
  func.return
}

// -----

// What one thread wrote is another's to read, also at the same place.
// CHECK-LABEL: @one
// CHECK: scf.if
// CHECK: memref.store
// CHECK: gpu.barrier
// CHECK-NEXT: memref.load
func.func @one(%x: memref<256xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c256 = arith.constant 256 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %s = memref.alloc() : memref<256xf32, #gpu.address_space<workgroup>>
    %v = memref.load %x[%tx] : memref<256xf32>
    %first = arith.cmpi eq, %tx, %c0 : index
    scf.if %first {
      memref.store %v, %s[%c0] : memref<256xf32, #gpu.address_space<workgroup>>
    }
    %w = memref.load %s[%c0] : memref<256xf32, #gpu.address_space<workgroup>>
    memref.store %w, %x[%tx] : memref<256xf32>
    gpu.terminator
  }
  func.return
}
