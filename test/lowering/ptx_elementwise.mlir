// RUN: mlc-compile %s --target=cuda --emit=llvm | FileCheck %s
// RUN: mlc-compile %s --target=cuda --emit=ptx --arch=sm_80 | FileCheck %s --check-prefix=PTX

// The host function passes places of values, and the function that the run time has found.

// CHECK: @"mlc.scale.launch0" = external global ptr
// CHECK: define void @"mlc.scale"(ptr noalias %a0, ptr noalias %a1, i64 %a1_s0, float %a2, ptr noalias %a3, ptr noalias %ws, ptr %context)
// CHECK: %l0 = alloca [4 x ptr]
// CHECK: store float %a2, ptr %l0.[[AT:[0-9]]]
// CHECK: [[F:%v[0-9]+]] = load ptr, ptr @"mlc.scale.launch0"
// CHECK: call void @mlc_gpu_launch(ptr %context, ptr [[F]], i64 4096, i64 256, i64 0, ptr %l0)

// What nobody writes is constant, and alignment is known where strides and offsets are multiples.

// CHECK: ; scale (GPU)
// CHECK: define ptx_kernel void @mlc_scale_0(ptr noalias readonly align 64 %a0, ptr noalias readonly align 64 %a1, ptr noalias align 64 %a3, float %a2) nounwind "nvvm.reqntid"="256" {
// CHECK: call range(i32 0, 4096) i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
// CHECK: load <4 x float>, ptr {{.*}}, align 16, !invariant.load !0
// CHECK: store <4 x float> {{.*}}, align 16{{$}}

// PTX: .version 7.0
// PTX: .target sm_80
// PTX: .visible .entry mlc_scale_0(
// PTX: .reqntid 256
// PTX: ld.global.nc.v4.b32
// PTX: ld.global.nc.v4.b32
// PTX-COUNT-4: fma.rn.f32
// PTX: st.global.v4.b32
func.func @scale(%x: memref<1024x4096xf32> {llvm.noalias}, %y: memref<?x4096xf32> {llvm.noalias}, %a: f32, %out0: memref<1024x4096xf32> {llvm.noalias}) {
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c1024 = arith.constant 1024 : index
  %c4096 = arith.constant 4096 : index
  %c256 = arith.constant 256 : index
  %zero = arith.constant 0.0 : f32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c4096, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %row = arith.divui %bx, %c4 : index
    %tile = arith.remui %bx, %c4 : index
    %start = arith.muli %tile, %c1024 : index
    %col = affine.apply affine_map<(d0, d1) -> (d0 + d1 * 4)>(%start, %tx)
    %v = vector.transfer_read %x[%row, %col], %zero {in_bounds = [true]} : memref<1024x4096xf32>, vector<4xf32>
    %w = vector.transfer_read %y[%row, %col], %zero {in_bounds = [true]} : memref<?x4096xf32>, vector<4xf32>
    %s = vector.broadcast %a : f32 to vector<4xf32>
    %m = arith.mulf %v, %s fastmath<contract> : vector<4xf32>
    %r = arith.addf %m, %w fastmath<contract> : vector<4xf32>
    vector.transfer_write %r, %out0[%row, %col] {in_bounds = [true]} : vector<4xf32>, memref<1024x4096xf32>
    gpu.terminator
  }
  func.return
}

// PTX: .entry mlc_bounded_0(
// PTX: min.NaN.f32 {{.*}}, 0f42B20000;
// PTX-NEXT: max.NaN.f32 {{.*}}, 0fC2D00000;
// PTX-NOT: selp
// PTX: ret;
func.func @bounded(%x: memref<256xf32>) {
  %c1 = arith.constant 1 : index
  %c256 = arith.constant 256 : index
  %most = arith.constant 89.0 : f32
  %least = arith.constant -104.0 : f32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %v = memref.load %x[%tx] : memref<256xf32>
    %above = arith.cmpf ogt, %v, %most : f32
    %u = arith.select %above, %most, %v : f32
    %below = arith.cmpf olt, %u, %least : f32
    %w = arith.select %below, %least, %u : f32
    memref.store %w, %x[%tx] : memref<256xf32>
    gpu.terminator
  }
  func.return
}
