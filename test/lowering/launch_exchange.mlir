// RUN: mlc-compile %s --target=cuda --emit=llvm | FileCheck %s
// RUN: mlc-compile %s --target=cuda --emit=ptx --arch=sm_80 | FileCheck %s --check-prefix=PTX

// Threads tell each other something by memory of the workspace: that is not `noalias`, which would let LLVM read there
// before the barrier. What is only written is.

// CHECK: define ptx_kernel void @mlc_turn_0(
// CHECK-SAME: ptr align 64 %v
// CHECK-SAME: ptr noalias align 64 %a0

// PTX: st.global.b64
// PTX: bar.sync 0;
// PTX: ld.global.b64
// PTX: st.global.b64
func.func @turn(%out0: memref<256xi64> {llvm.noalias}) {
  %c1 = arith.constant 1 : index
  %c255 = arith.constant 255 : index
  %c256 = arith.constant 256 : index
  %w = memref.alloc() : memref<256xi64>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %v = arith.index_cast %tx : index to i64
    memref.store %v, %w[%tx] : memref<256xi64>
    gpu.barrier
    %other = arith.subi %c255, %tx : index
    %u = memref.load %w[%other] : memref<256xi64>
    memref.store %u, %out0[%tx] : memref<256xi64>
    gpu.terminator
  }
  func.return
}
