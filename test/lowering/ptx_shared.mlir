// RUN: mlc-compile %s --target=cuda --emit=ptx --arch=sm_80 | FileCheck %s

// A read before a barrier is done before it, also where its value is needed behind it: here two halves of a block's
// memory change places. A thread's own memory becomes registers.

// CHECK: .entry mlc_swap_0(
// CHECK-NOT: .local
// CHECK: ld.global.nc.b32
// CHECK: st.shared.b32
// CHECK: bar.sync 0;
// CHECK: ld.shared.b32
// CHECK: bar.sync 0;
// CHECK: st.shared.b32
// CHECK: bar.sync 0;
// CHECK: ld.shared.b32
// CHECK: st.global.b32
func.func @swap(%x: memref<64x256xf32> {llvm.noalias}, %out0: memref<64x256xf32> {llvm.noalias}) {
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %c256 = arith.constant 256 : index
  %zero = arith.constant 0.0 : f32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c64, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %s = memref.alloc() : memref<256xf32, #gpu.address_space<workgroup>>
    %own = memref.alloca() : memref<1xf32, #gpu.address_space<private>>
    %c0 = arith.constant 0 : index
    %v = vector.transfer_read %x[%bx, %tx], %zero {in_bounds = [true]} : memref<64x256xf32>, vector<1xf32>
    vector.transfer_write %v, %s[%tx] {in_bounds = [true]} : vector<1xf32>, memref<256xf32, #gpu.address_space<workgroup>>
    gpu.barrier
    %far = arith.addi %tx, %c128 : index
    %other = arith.remui %far, %c256 : index
    %w = vector.transfer_read %s[%other], %zero {in_bounds = [true]} : memref<256xf32, #gpu.address_space<workgroup>>, vector<1xf32>
    gpu.barrier
    vector.transfer_write %w, %s[%tx] {in_bounds = [true]} : vector<1xf32>, memref<256xf32, #gpu.address_space<workgroup>>
    gpu.barrier
    %r = memref.load %s[%other] : memref<256xf32, #gpu.address_space<workgroup>>
    memref.store %r, %own[%c0] : memref<1xf32, #gpu.address_space<private>>
    %o = memref.load %own[%c0] : memref<1xf32, #gpu.address_space<private>>
    memref.store %o, %out0[%bx, %tx] : memref<64x256xf32>
    gpu.terminator
  }
  func.return
}
