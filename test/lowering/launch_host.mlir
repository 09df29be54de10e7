// RUN: mlc-compile %s --target=cuda --emit=llvm | FileCheck %s
// RUN: mlc-compile %s --target=cuda --emit=obj -o /dev/null

// Loops, branches and sizes are the host's; memory of a size known at run time comes from the run time, places for
// values are made once. i1 is a byte among the parameters, constant vectors are made by each thread.

// CHECK: @"mlc.steps.launch0" = external global ptr
// CHECK: @"mlc.steps.launch1" = external global ptr
// CHECK: define void @"mlc.steps"(ptr noalias %a0, i64 %a0_s0, i1 %a1, ptr noalias %ws, ptr %context)
// CHECK-NEXT: entry:
// CHECK: alloca i8
// CHECK: [[W:%v[0-9]+]] = call ptr @mlc_gpu_alloc(ptr %context, i64 %v{{[0-9]+}})
// CHECK: loop{{[0-9]+}}:
// CHECK: store i64 %i{{[0-9]+}}, ptr %l0.
// CHECK: call void @mlc_gpu_launch(ptr %context, ptr %v{{[0-9]+}}, i64 %a0_s0, i64 32, i64 0, ptr %l0)
// CHECK: br i1 %a1, label %then
// CHECK: call void @mlc_gpu_launch(ptr %context, ptr %v{{[0-9]+}}, i64 1, i64 %a0_s0, i64 0, ptr %l1)
// CHECK: call void @mlc_gpu_free(ptr %context, ptr [[W]])

// CHECK: ; steps (GPU)
// CHECK: define ptx_kernel void @mlc_steps_0(i64 %i{{[0-9]+}}, i8 %a1.byte, ptr noalias align 256 [[W]]) nounwind "nvvm.reqntid"="32"
// CHECK: %a1 = trunc i8 %a1.byte to i1
// CHECK: <float 0x3FF0000000000000, float 0x4000000000000000>
// CHECK: define ptx_kernel void @mlc_steps_1({{.*}}ptr noalias readonly align 256 [[W]]{{.*}} "nvvm.maxntid"="1024"
func.func @steps(%x: memref<?x32x2xf32> {llvm.noalias}, %p: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f32
  %v = arith.constant dense<[1.0, 2.0]> : vector<2xf32>
  %n = memref.dim %x, %c0 : memref<?x32x2xf32>
  %w = memref.alloc(%n) : memref<?x32x2xf32>
  scf.for %i = %c0 to %n step %c1 {
    gpu.launch blocks(%bx, %by, %bz) in (%gx = %n, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
      %here = arith.cmpi eq, %bx, %i : index
      %both = arith.andi %here, %p : i1
      scf.if %both {
        vector.transfer_write %v, %w[%i, %tx, %c0] {in_bounds = [true]} : vector<2xf32>, memref<?x32x2xf32>
      }
      gpu.terminator
    }
  }
  scf.if %p {
    gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %n, %sy = %c1, %sz = %c1) {
      %a = vector.transfer_read %w[%tx, %c0, %c0], %zero {in_bounds = [true]} : memref<?x32x2xf32>, vector<2xf32>
      vector.transfer_write %a, %x[%tx, %c0, %c0] {in_bounds = [true]} : vector<2xf32>, memref<?x32x2xf32>
      gpu.terminator
    }
  }
  func.return
}
