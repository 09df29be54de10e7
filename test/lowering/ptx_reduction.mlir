// RUN: mlc-compile %s --target=cuda --emit=ptx --arch=sm_70 | FileCheck %s
// RUN: mlc-compile %s --target=cuda --emit=llvm | FileCheck %s --check-prefix=LLVM

// A warp adds up its numbers by shuffles, a block the warps' sums in its memory. 8 floats and 1024 of them follow each
// other there.

// LLVM: call void @mlc_gpu_launch(ptr %context, ptr %{{.*}}, i64 %a0_s0, i64 256, i64 4224, ptr %l0)
// LLVM: @mlc_shared = external addrspace(3) global [0 x i8], align 128
// LLVM: getelementptr i8, ptr addrspacecast (ptr addrspace(3) @mlc_shared to ptr), i64 0
// LLVM: getelementptr i8, ptr addrspacecast (ptr addrspace(3) @mlc_shared to ptr), i64 128

// CHECK: .extern .shared .align 128 .b8 mlc_shared[];
// CHECK: .entry mlc_rows_0(
// CHECK: ld.global.nc.v4.b32
// CHECK: st.shared.v4.b32
// CHECK: shfl.sync.bfly.b32 {{.*}}, 16, 31, -1;
// CHECK: shfl.sync.down.b32 {{.*}}, 1, 6175, -1;
// CHECK: st.shared.b32
// CHECK: bar.sync 0;
// CHECK: ld.shared.v4.b32
// CHECK: ld.shared.v4.b32
// CHECK: st.global.b32
func.func @rows(%x: memref<?x1024xf32> {llvm.noalias}, %out0: memref<?xf32> {llvm.noalias}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c256 = arith.constant 256 : index
  %c32 = arith.constant 32 : index
  %i1 = arith.constant 1 : i32
  %i8 = arith.constant 8 : i32
  %i16 = arith.constant 16 : i32
  %i32 = arith.constant 32 : i32
  %zero = arith.constant 0.0 : f32
  %n = memref.dim %x, %c0 : memref<?x1024xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %warps = memref.alloc() : memref<8xf32, #gpu.address_space<workgroup>>
    %row = memref.alloc() {alignment = 64 : i64} : memref<1024xf32, #gpu.address_space<workgroup>>
    %col = affine.apply affine_map<(d0) -> (d0 * 4)>(%tx)
    %v = vector.transfer_read %x[%bx, %col], %zero {in_bounds = [true]} : memref<?x1024xf32>, vector<4xf32>
    vector.transfer_write %v, %row[%col] {in_bounds = [true]} : vector<4xf32>, memref<1024xf32, #gpu.address_space<workgroup>>
    %s = vector.reduction <add>, %v : vector<4xf32> into f32
    %a, %valid = gpu.shuffle xor %s, %i16, %i32 : f32
    %b = arith.addf %s, %a : f32
    %c, %inside = gpu.shuffle down %b, %i1, %i8 : f32
    %d = arith.select %inside, %c, %zero : f32
    %e = arith.addf %b, %d : f32
    %warp = arith.divui %tx, %c32 : index
    memref.store %e, %warps[%warp] : memref<8xf32, #gpu.address_space<workgroup>>
    gpu.barrier
    %all = vector.transfer_read %warps[%c0], %zero {in_bounds = [true]} : memref<8xf32, #gpu.address_space<workgroup>>, vector<8xf32>
    %sum = vector.reduction <add>, %all : vector<8xf32> into f32
    memref.store %sum, %out0[%bx] : memref<?xf32>
    gpu.terminator
  }
  func.return
}
