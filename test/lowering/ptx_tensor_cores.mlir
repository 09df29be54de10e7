// RUN: mlc-compile %s --target=cuda --emit=ptx --arch=sm_80 | FileCheck %s
// RUN: not mlc-compile %s --target=cuda --emit=ptx --arch=sm_70 2>&1 | FileCheck %s --check-prefix=OLD

// A copy becomes one instruction of its size; elements that do not exist are zeros, at a number known at compile time
// or not. Groups are the thread's, tokens nothing.

// OLD: ptx_tensor_cores.mlir:[[#]]:{{[0-9]+}}: error: nvgpu.device_async_copy: expected an architecture from sm_80 on, which has it, found sm_70

// CHECK-LABEL: .entry mlc_copies_0(
// CHECK: cp.async.ca.shared.global [%rd{{[0-9]+}}], [%rd{{[0-9]+}}], 4;
// CHECK: cp.async.ca.shared.global [%rd{{[0-9]+}}+4], [%rd{{[0-9]+}}+4], 4;
// CHECK: cp.async.ca.shared.global [%rd{{[0-9]+}}+8], [%rd{{[0-9]+}}+8], 8;
// CHECK: cp.async.ca.shared.global [%rd{{[0-9]+}}+16], [%rd{{[0-9]+}}+16], 16;
// CHECK: cp.async.cg.shared.global [%rd{{[0-9]+}}+32], [%rd{{[0-9]+}}+32], 16;
// CHECK: cp.async.commit_group;
// CHECK: cp.async.cg.shared.global [%rd{{[0-9]+}}+48], [%rd{{[0-9]+}}+48], 16, 12;
// CHECK: shl.b32 [[BYTES:%r[0-9]+]], %r{{[0-9]+}}, 2;
// CHECK: cp.async.cg.shared.global [%rd{{[0-9]+}}+64], [%rd{{[0-9]+}}+64], 16, [[BYTES]];
// CHECK: cp.async.commit_group;
// CHECK: cp.async.wait_group 1;
// CHECK: cp.async.wait_group 0;
// CHECK: ld.shared.v4.b32
!tile = memref<32x20xf32, #gpu.address_space<workgroup>>
func.func @copies(%x: memref<32x20xf32> {llvm.noalias}, %n: index, %out0: memref<32x20xf32> {llvm.noalias}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %c12 = arith.constant 12 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%t, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %s = memref.alloc() : !tile
    %a = nvgpu.device_async_copy %x[%t, %c0], %s[%t, %c0], 1 : memref<32x20xf32> to !tile
    %a1 = nvgpu.device_async_copy %x[%t, %c1], %s[%t, %c1], 1 : memref<32x20xf32> to !tile
    %b = nvgpu.device_async_copy %x[%t, %c2], %s[%t, %c2], 2 : memref<32x20xf32> to !tile
    %c = nvgpu.device_async_copy %x[%t, %c4], %s[%t, %c4], 4, %c4 : memref<32x20xf32> to !tile
    %d = nvgpu.device_async_copy %x[%t, %c8], %s[%t, %c8], 4 {bypassL1} : memref<32x20xf32> to !tile
    %g = nvgpu.device_async_create_group %a, %a1, %b, %c, %d
    %e = nvgpu.device_async_copy %x[%t, %c12], %s[%t, %c12], 4, %c3 {bypassL1} : memref<32x20xf32> to !tile
    %f = nvgpu.device_async_copy %x[%t, %c16], %s[%t, %c16], 4, %n {bypassL1} : memref<32x20xf32> to !tile
    %h = nvgpu.device_async_create_group %e, %f
    nvgpu.device_async_wait %g {numGroups = 1 : i32}
    nvgpu.device_async_wait %h
    %v = vector.transfer_read %s[%t, %c0], %zero {in_bounds = [true]} : !tile, vector<20xf32>
    vector.transfer_write %v, %out0[%t, %c0] {in_bounds = [true]} : vector<20xf32>, memref<32x20xf32>
    gpu.terminator
  }
  func.return
}

// Tiles and products by element type. Fragments are what instructions give and take: nothing is moved in between.

// CHECK-LABEL: .entry mlc_halves_0(
// CHECK: ldmatrix.sync.aligned.m8n8.x4.shared.b16 {[[A:%r[0-9]+, %r[0-9]+, %r[0-9]+, %r[0-9]+]]}, [%rd{{[0-9]+}}];
// CHECK: ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {[[B:%r[0-9]+, %r[0-9]+]]}, [%rd{{[0-9]+}}];
// CHECK: mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16
// CHECK-NEXT: {[[C:%r[0-9]+, %r[0-9]+]]},
// CHECK-NEXT: {[[A]]},
// CHECK-NEXT: {[[B]]},
// CHECK: mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
// CHECK-NEXT: {{{%r[0-9]+, %r[0-9]+, %r[0-9]+, %r[0-9]+}}},
// CHECK-NEXT: {[[A]]},
// CHECK-NEXT: {[[C]]},
!halves = memref<16x16xf16, #gpu.address_space<workgroup>>
func.func @halves(%x: memref<16x16xf16> {llvm.noalias}, %out0: memref<32x2x2xf32> {llvm.noalias}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%t, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %s = memref.alloc() : !halves
    %row = arith.divui %t, %c2 : index
    %half = arith.remui %t, %c2 : index
    %column = arith.muli %half, %c8 : index
    %k = nvgpu.device_async_copy %x[%row, %column], %s[%row, %column], 8 {bypassL1} : memref<16x16xf16> to !halves
    %g = nvgpu.device_async_create_group %k
    nvgpu.device_async_wait %g
    gpu.barrier
    %low = arith.remui %t, %c16 : index
    %right = arith.divui %t, %c16 : index
    %first = arith.muli %right, %c8 : index
    %a = nvgpu.ldmatrix %s[%low, %first] {numTiles = 4 : i32, transpose = false} : !halves -> vector<4x2xf16>
    %b = nvgpu.ldmatrix %s[%low, %c0] {numTiles = 2 : i32, transpose = true} : !halves -> vector<2x2xf16>
    %zeros = arith.constant dense<0.0> : vector<2x2xf16>
    %c = nvgpu.mma.sync(%a, %b, %zeros) {mmaShape = [16, 8, 16]} : (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf16>) -> vector<2x2xf16>
    %wide = arith.constant dense<0.0> : vector<2x2xf32>
    %d = nvgpu.mma.sync(%a, %c, %wide) {mmaShape = [16, 8, 16]} : (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>
    vector.transfer_write %d, %out0[%t, %c0, %c0] {in_bounds = [true, true]} : vector<2x2xf32>, memref<32x2x2xf32>
    gpu.terminator
  }
  func.return
}

// CHECK-LABEL: .entry mlc_words_0(
// CHECK: ldmatrix.sync.aligned.m8n8.x2.shared.b16 {[[A:%r[0-9]+, %r[0-9]+]]}, [%rd{{[0-9]+}}];
// CHECK: ldmatrix.sync.aligned.m8n8.x1.shared.b16 {[[B:%r[0-9]+]]}, [%rd{{[0-9]+}}];
// CHECK: mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32
// CHECK-NEXT: {{{%r[0-9]+, %r[0-9]+, %r[0-9]+, %r[0-9]+}}},
// CHECK-NEXT: {[[A]]},
// CHECK-NEXT: {[[B]]},
!words = memref<16x4xf32, #gpu.address_space<workgroup>>
func.func @words(%x: memref<16x4xf32> {llvm.noalias}, %out0: memref<32x2x2xf32> {llvm.noalias}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%t, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %s = memref.alloc() : !words
    %row = arith.remui %t, %c16 : index
    %first = arith.cmpi ult, %t, %c16 : index
    scf.if %first {
      %k = nvgpu.device_async_copy %x[%row, %c0], %s[%row, %c0], 4 {bypassL1} : memref<16x4xf32> to !words
      %g = nvgpu.device_async_create_group %k
      nvgpu.device_async_wait %g
    }
    gpu.barrier
    %a = nvgpu.ldmatrix %s[%row, %c0] {numTiles = 2 : i32, transpose = false} : !words -> vector<2x1xf32>
    %b = nvgpu.ldmatrix %s[%row, %c0] {numTiles = 1 : i32, transpose = false} : !words -> vector<1x1xf32>
    %zeros = arith.constant dense<0.0> : vector<2x2xf32>
    %d = nvgpu.mma.sync(%a, %b, %zeros) {mmaShape = [16, 8, 4], tf32Enabled} : (vector<2x1xf32>, vector<1x1xf32>, vector<2x2xf32>) -> vector<2x2xf32>
    vector.transfer_write %d, %out0[%t, %c0, %c0] {in_bounds = [true, true]} : vector<2x2xf32>, memref<32x2x2xf32>
    gpu.terminator
  }
  func.return
}

// CHECK-LABEL: .entry mlc_bytes_0(
// CHECK: ldmatrix.sync.aligned.m8n8.x4.shared.b16 {[[A:%r[0-9]+, %r[0-9]+, %r[0-9]+, %r[0-9]+]]}, [%rd{{[0-9]+}}];
// CHECK: mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32
// CHECK-NEXT: {{{%r[0-9]+, %r[0-9]+, %r[0-9]+, %r[0-9]+}}},
// CHECK-NEXT: {[[A]]},
!bytes = memref<16x32xi8, #gpu.address_space<workgroup>>
func.func @bytes(%x: memref<16x32xi8> {llvm.noalias}, %out0: memref<32x2x2xi32> {llvm.noalias}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%t, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %s = memref.alloc() : !bytes
    %row = arith.remui %t, %c16 : index
    %right = arith.divui %t, %c16 : index
    %first = arith.muli %right, %c16 : index
    %k = nvgpu.device_async_copy %x[%row, %first], %s[%row, %first], 16 {bypassL1} : memref<16x32xi8> to !bytes
    %g = nvgpu.device_async_create_group %k
    nvgpu.device_async_wait %g
    gpu.barrier
    %a = nvgpu.ldmatrix %s[%row, %first] {numTiles = 4 : i32, transpose = false} : !bytes -> vector<4x4xi8>
    %halves = vector.shape_cast %a : vector<4x4xi8> to vector<2x2x4xi8>
    %b = vector.extract %halves[1] : vector<2x4xi8> from vector<2x2x4xi8>
    %zeros = arith.constant dense<0> : vector<2x2xi32>
    %d = nvgpu.mma.sync(%a, %b, %zeros) {mmaShape = [16, 8, 32]} : (vector<4x4xi8>, vector<2x4xi8>, vector<2x2xi32>) -> vector<2x2xi32>
    vector.transfer_write %d, %out0[%t, %c0, %c0] {in_bounds = [true, true]} : vector<2x2xi32>, memref<32x2x2xi32>
    gpu.terminator
  }
  func.return
}

// What a thread has yet to read is read before a copy begins to write there, also where that is within a branch.

// CHECK-LABEL: .entry mlc_before_0(
// CHECK: ld.shared.v4.b32
// CHECK: cp.async.cg.shared.global
// CHECK: ld.shared.v4.b32
// CHECK: bra
// CHECK: cp.async.cg.shared.global
// CHECK: cp.async.wait_group 0;
// CHECK: st.global.v4.b32
!rows = memref<32x4xf32, #gpu.address_space<workgroup>>
func.func @before(%x: memref<64x4xf32> {llvm.noalias}, %out0: memref<64x4xf32> {llvm.noalias}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%t, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %s = memref.alloc() : !rows
    %r = memref.alloc() : !rows
    %u = arith.addi %t, %c32 : index
    %first = vector.transfer_read %x[%t, %c0], %zero {in_bounds = [true]} : memref<64x4xf32>, vector<4xf32>
    vector.transfer_write %first, %s[%t, %c0] {in_bounds = [true]} : vector<4xf32>, !rows
    vector.transfer_write %first, %r[%t, %c0] {in_bounds = [true]} : vector<4xf32>, !rows
    gpu.barrier
    %v = vector.transfer_read %s[%t, %c0], %zero {in_bounds = [true]} : !rows, vector<4xf32>
    %w = vector.transfer_read %r[%t, %c0], %zero {in_bounds = [true]} : !rows, vector<4xf32>
    %a = nvgpu.device_async_copy %x[%u, %c0], %s[%t, %c0], 4 {bypassL1} : memref<64x4xf32> to !rows
    %g = nvgpu.device_async_create_group %a
    %some = arith.cmpi ult, %t, %c4 : index
    scf.if %some {
      %b = nvgpu.device_async_copy %x[%u, %c0], %r[%t, %c0], 4 {bypassL1} : memref<64x4xf32> to !rows
      %h = nvgpu.device_async_create_group %b
    }
    nvgpu.device_async_wait %g
    %sum = arith.addf %v, %w : vector<4xf32>
    %new = vector.transfer_read %s[%t, %c0], %zero {in_bounds = [true]} : !rows, vector<4xf32>
    vector.transfer_write %sum, %out0[%t, %c0] {in_bounds = [true]} : vector<4xf32>, memref<64x4xf32>
    vector.transfer_write %new, %out0[%u, %c0] {in_bounds = [true]} : vector<4xf32>, memref<64x4xf32>
    gpu.terminator
  }
  func.return
}
