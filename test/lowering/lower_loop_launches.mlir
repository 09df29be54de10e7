// RUN: mlc-opt %s -p "lower-loop{launch=true}" | FileCheck %s
// Each statement is a launch, with the values between them in memory; what is not mapped runs on one thread, copies on
// many; threads of a loop have memory of their own.

func.func @statements(%x: tensor<8x64xf32>) -> (tensor<f32>, tensor<8x65xf32>) {
  %r = loop.stage r [i: 8, j: 64] (%a = %x[i, j]) -> add [i] {
    loop.yield %a : f32
  }
  %t = loop.stage t [i: 8] (%a = %r[i]) -> add [] {
    loop.yield %a : f32
  }
  %l = loop.for i0 = 8 thread -> [i0, 0] {
    %q = loop.stage q [j: 64] (%a = %x[i0, j]) -> [j] {
      %b = arith.addf %a, %a : f32
      loop.yield %b : f32
    }
    %p = loop.stage p [j: 64] (%a = %q[-j + 63]) -> [0, j] {
      loop.yield %a : f32
    }
    loop.yield %p : tensor<1x64xf32>
  }
  %c = loop.stage c [i: 8, k: 1] (%a = %r[i]) -> [i, k] {
    loop.yield %a : f32
  }
  %j = loop.join (%l at [0, 0], %c at [0, 64]) : tensor<8x65xf32>
  func.return %t, %j : tensor<f32>, tensor<8x65xf32>
}

// CHECK-LABEL: func.func @statements
// CHECK: %r = memref.alloc() {alignment = 64 : i64} : memref<8xf32>
// CHECK: gpu.launch {{.*}} threads({{.*}}) in (%sx{{.*}} = %c1,
// CHECK: gpu.launch {{.*}} threads({{.*}}) in (%sx{{.*}} = %c1,
// CHECK: memref.store {{.*}}, %out0[] : memref<f32>
// CHECK: gpu.launch {{.*}} threads({{.*}}) in (%sx{{.*}} = %c32,
// CHECK: scf.if
// CHECK: %q = memref.alloc() {alignment = 64 : i64} : memref<64xf32, #gpu.address_space<private>>
// CHECK: gpu.launch {{.*}} threads({{.*}}) in (%sx{{.*}} = %c1,
