// RUN: mlc-compile %s --target=cuda --emit=llvm | FileCheck %s

// The entry is host code: trips of a scan are counted there, a predicate is read from the device, copies are the run
// time's. Kernels get the call's context; NumPy's arrays have no entry of their own.

// CHECK: ; main (entry)
// CHECK-NOT: @mlc_call
// CHECK: define i32 @mlc_entry(ptr %buffers, ptr %sizes, ptr %arena, ptr %context) nounwind {
// CHECK-NEXT: entry:
// CHECK-NEXT: %read = alloca i8
// CHECK: call void @"mlc.compare"(ptr %{{.*}}, ptr %arena, ptr %context)
// CHECK: call void @mlc_gpu_read(ptr %context, ptr %read, ptr %{{.*}}, i64 1)
// CHECK-NEXT: [[BYTE:%v[0-9]+]] = load i8, ptr %read
// CHECK-NEXT: [[HOLDS:%v[0-9]+]] = icmp ne i8 [[BYTE]], 0
// CHECK-NEXT: br i1 [[HOLDS]], label %holds0, label %fails0
// CHECK: call void @mlc_gpu_copy(ptr %context, ptr %{{.*}}, ptr %{{.*}}, i64 16)
// CHECK: loop{{[0-9]+}}:
// CHECK: icmp slt i64 %t{{[0-9]+}}, 3
// CHECK: call void @"mlc.
func.func @main(%x: tensor<4xf32>, %n: tensor<i64>) -> tensor<4xf32> {
  %zero = nd.constant 0 : tensor<i64>
  %p = nd.compare gt %n, %zero : tensor<i64> -> tensor<i1>
  nd.check %p "n is positive" : tensor<i1>
  %y = nd.scan 3 carry (%c = %x) -> (tensor<4xf32>) {
    %d = nd.add %c, %c : tensor<4xf32>
    nd.yield %d : tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}
