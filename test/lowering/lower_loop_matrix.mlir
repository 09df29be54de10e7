// RUN: mlc-opt %s -p "loop-tile{axis=k size=64 only=mm},loop-pack{value=A axes=i,k only=mm},loop-distribute{axis=i threads=16 only=pack_A},loop-distribute{axis=k threads=8 lanes=8 only=pack_A},loop-pack{value=B axes=k,j only=mm},loop-distribute{axis=k threads=16 only=pack_B},loop-distribute{axis=j threads=8 lanes=8 only=pack_B},loop-vectorize{axes=k only=mm},loop-fragment{rows=i columns=j warps=2,2 only=mm},loop-pipeline{stages=3 only=mm},lower-loop{launch=true},insert-barriers" | FileCheck %s
// Matrix instructions, with two blocks of the operands on their way to swizzled memory, and one barrier an iteration.

func.func @f(%A: tensor<64x256xbf16>, %B: tensor<256x64xbf16>) -> tensor<64x64xf32> {
  %c = loop.stage mm [i: 64, j: 64, k: 256] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %x = arith.extf %a : bf16 to f32
    %y = arith.extf %b : bf16 to f32
    %p = arith.mulf %x, %y : f32
    loop.yield %p : f32
  }
  func.return %c : tensor<64x64xf32>
}

// CHECK: memref.alloc() {alignment = 64 : i64} : memref<192x64xbf16, #gpu.address_space<workgroup>>
// CHECK: nvgpu.device_async_copy %A{{.*}} 8 {bypassL1}
// CHECK: nvgpu.device_async_create_group
// CHECK: nvgpu.device_async_create_group
// CHECK: scf.for
// CHECK: nvgpu.device_async_wait {{.*}} {numGroups = 1 : i32}
// CHECK: gpu.barrier
// CHECK: arith.xori
// CHECK: nvgpu.device_async_copy
// CHECK-NOT: gpu.barrier
// CHECK: nvgpu.ldmatrix {{.*}} transpose = false
// CHECK: nvgpu.ldmatrix {{.*}} transpose = true
// CHECK: nvgpu.mma.sync({{.*}}) {mmaShape = [16 : i64, 8 : i64, 16 : i64]}
// CHECK-NOT: gpu.barrier
// CHECK: scf.yield
// CHECK: nvgpu.device_async_wait {{.*}} {numGroups = 0 : i32}
