// RUN: mlc-compile %s --target=cuda --emit=ptx --arch=sm_90a | FileCheck %s
// RUN: mlc-compile %s --target=cuda --emit=ptx --arch=sm_70 | FileCheck %s --check-prefix=OLD

// Conversions of bf16 that are made of integer operations are a GPU's own; where it has none, LLVM makes them.

// CHECK: ld.global.nc.v4.b32
// CHECK-COUNT-8: cvt.f32.bf16
// CHECK: cvt.rn.bf16x2.f32
// CHECK: cvt.rn.bf16x2.f32
// CHECK-NOT: and.b32
// CHECK: st.global.v4.b32

// OLD-NOT: cvt.rn.bf16
// OLD: st.global
func.func @sqrt(%x: memref<262144xbf16> {llvm.noalias}, %out0: memref<262144xbf16> {llvm.noalias}) {
  %c128 = arith.constant 128 : index
  %c2048 = arith.constant 2048 : index
  %0 = arith.constant 0.000000e+00 : bf16
  %1 = arith.constant dense<64> : vector<8xi32>
  %2 = arith.constant dense<32767> : vector<8xi32>
  %3 = arith.constant dense<1> : vector<8xi32>
  %4 = arith.constant dense<16> : vector<8xi32>
  %c256 = arith.constant 256 : index
  %c1 = arith.constant 1 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c128, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %5 = arith.muli %bx, %c2048 : index
    %6 = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 8)))> (%5, %tx)
    %7 = vector.transfer_read %x[%6], %0 {in_bounds = [true]} : memref<262144xbf16>, vector<8xbf16>
    %8 = arith.bitcast %7 : vector<8xbf16> to vector<8xi16>
    %9 = arith.extui %8 : vector<8xi16> to vector<8xi32>
    %10 = arith.shli %9, %4 : vector<8xi32>
    %11 = arith.bitcast %10 : vector<8xi32> to vector<8xf32>
    %12 = math.sqrt %11 : vector<8xf32>
    %13 = arith.bitcast %12 : vector<8xf32> to vector<8xi32>
    %14 = arith.shrui %13, %4 : vector<8xi32>
    %15 = arith.andi %14, %3 : vector<8xi32>
    %16 = arith.addi %13, %2 : vector<8xi32>
    %17 = arith.addi %16, %15 : vector<8xi32>
    %18 = arith.shrui %17, %4 : vector<8xi32>
    %19 = arith.ori %14, %1 : vector<8xi32>
    %20 = arith.cmpf une, %12, %12 : vector<8xf32>
    %21 = arith.select %20, %19, %18 : vector<8xi1>, vector<8xi32>
    %22 = arith.trunci %21 : vector<8xi32> to vector<8xi16>
    %sqrt = arith.bitcast %22 : vector<8xi16> to vector<8xbf16>
    vector.transfer_write %sqrt, %out0[%6] {in_bounds = [true]} : vector<8xbf16>, memref<262144xbf16>
    gpu.terminator
  }
  func.return
}
