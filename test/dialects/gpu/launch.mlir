// RUN: mlc-opt %s | FileCheck %s
// RUN: mlc-opt %s | mlc-opt - | FileCheck %s
// Launches, barriers, shuffles and the spaces of memory have upstream's syntax.

func.func @k(%x: memref<1024xf32>) {
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c256 = arith.constant 256 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c4, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %s = memref.alloc() : memref<256xf32, #gpu.address_space<workgroup>>
    %p = memref.alloca() : memref<8xf32, #gpu.address_space<private>>
    %v = memref.load %x[%tx] : memref<1024xf32>
    %offset = arith.constant 1 : i32
    %width = arith.constant 32 : i32
    %other, %valid = gpu.shuffle xor %v, %offset, %width : f32
    memref.store %other, %s[%tx] : memref<256xf32, #gpu.address_space<workgroup>>
    gpu.barrier
    gpu.terminator
  } {tag}
  func.return
}

// CHECK: gpu.launch blocks(%bx, %by, %bz) in (%gx = %c4, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
// CHECK-NEXT: memref.alloc() : memref<256xf32, #gpu.address_space<workgroup>>
// CHECK-NEXT: memref.alloca() : memref<8xf32, #gpu.address_space<private>>
// CHECK: %other, %valid = gpu.shuffle xor %v, %offset, %width : f32
// CHECK: gpu.barrier
// CHECK-NEXT: gpu.terminator
// CHECK-NEXT: } {tag}
