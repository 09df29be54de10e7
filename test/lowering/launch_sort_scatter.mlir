// RUN: mlc-opt %s -p "lower-loop{launch=true}" | FileCheck %s
// Sorts are launches over all elements: a rank in a run of 32, then merges by bisection. Scatters have a thread for each
// point of the axes that are a coordinate of the place by themselves, and walk the others in order.

func.func @sorted(%x: tensor<64x96xf32>) -> tensor<64x96xf32> {
  %1 = loop.sort %x along 1
  func.return %1 : tensor<64x96xf32>
}

// CHECK-LABEL: func.func @sorted
// CHECK-COUNT-2: memref.alloc() {alignment = 64 : i64} : memref<64x96xi32>
// CHECK: gpu.launch blocks({{.*}}) in (%gx = %c24, {{.*}}) threads({{.*}}) in (%sx = %c256,
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (index)
// CHECK-COUNT-2: gpu.launch
// CHECK: memref.store {{.*}}, %out0
// CHECK-NOT: gpu.launch

func.func @scattered(%x: tensor<64x96xf32>, %u: tensor<500x96xf32>, %k: tensor<500xi64>) -> tensor<64x96xf32> {
  %3 = loop.scatter add scatter [i: 500, j: 96] (%4 = %k[i], %5 = %u[i, j]) into %x {
    %9 = arith.index_cast %4 : i64 to index
    %10 = loop.index j : index
    loop.yield %5, %9, %10 : f32, index, index
  }
  func.return %3 : tensor<64x96xf32>
}

// CHECK-LABEL: func.func @scattered
// CHECK: gpu.launch
// CHECK: vector.transfer_write {{.*}}, %out0
// CHECK: gpu.launch blocks({{.*}}) in ({{.*}} = %c1, {{.*}}) threads({{.*}}) in ({{.*}} = %c128,
// CHECK: scf.if
// CHECK-NEXT: scf.for %i = %c0 to %c500
// CHECK: memref.load %out0

// What a loop carries associatively is scanned: what each iteration adds, combinations at distances 1, 2, 4 .. 64, then
// what each iteration places.
func.func @scanned(%x: tensor<100xf32>) -> tensor<100xf32> {
  %init = loop.stage init [] () -> [0] {
    %0 = arith.constant 0.000000e+00 : f32
    loop.yield %0 : f32
  }
  %last, %y = loop.for i = 100 with (%1 = %init) -> carry [0], [i] {
    %2, %3 = loop.stage sum [] (%4 = %1[0], %5 = %x[i]) -> [0], [0] {
      %6 = arith.addf %4, %5 : f32
      loop.yield %6, %6 : f32, f32
    }
    loop.yield %2, %3 : tensor<1xf32>, tensor<1xf32>
  }
  func.return %y : tensor<100xf32>
}

// CHECK-LABEL: func.func @scanned
// CHECK-COUNT-2: memref.alloc() {alignment = 64 : i64} : memref<1x100xf32>
// CHECK-COUNT-9: gpu.launch {{.*}} threads({{.*}}) in ({{.*}} = %c256,
// CHECK: memref.store {{.*}}, %out0
// CHECK-NOT: gpu.launch
