// RUN: mlc-compile %s --target=cuda --emit=ptx --arch=sm_90a | FileCheck %s

// Eight halves are one access, also where they are made of two native vectors; rows that begin anywhere are not aligned.

// CHECK: .entry mlc_halves_0(
// CHECK: ld.global.nc.v4.b32
// CHECK: cvt.f32.f16
// CHECK: st.global.v4.b32
// CHECK: st.global.v4.b32
func.func @halves(%x: memref<256x2048xf16>, %out0: memref<256x2048xf32> {llvm.noalias}) {
  %c1 = arith.constant 1 : index
  %c256 = arith.constant 256 : index
  %zero = arith.constant 0.0 : f16
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c256, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %col = affine.apply affine_map<(d0) -> (d0 * 8)>(%tx)
    %v = vector.transfer_read %x[%bx, %col], %zero {in_bounds = [true]} : memref<256x2048xf16>, vector<8xf16>
    %w = arith.extf %v : vector<8xf16> to vector<8xf32>
    vector.transfer_write %w, %out0[%bx, %col] {in_bounds = [true]} : vector<8xf32>, memref<256x2048xf32>
    gpu.terminator
  }
  func.return
}

// CHECK: .entry mlc_odd_0(
// CHECK-NOT: .v4
// CHECK: st.global.b32
func.func @odd(%x: memref<256x2047xf32> {llvm.noalias}, %out0: memref<256x2047xf32> {llvm.noalias}) {
  %c1 = arith.constant 1 : index
  %c256 = arith.constant 256 : index
  %zero = arith.constant 0.0 : f32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c256, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %col = affine.apply affine_map<(d0) -> (d0 * 4)>(%tx)
    %v = vector.transfer_read %x[%bx, %col], %zero {in_bounds = [true]} : memref<256x2047xf32>, vector<4xf32>
    %w = arith.negf %v : vector<4xf32>
    vector.transfer_write %w, %out0[%bx, %col] {in_bounds = [true]} : vector<4xf32>, memref<256x2047xf32>
    gpu.terminator
  }
  func.return
}
