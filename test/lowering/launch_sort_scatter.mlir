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
