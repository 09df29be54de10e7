// RUN: mlc-opt %s -p "lower-loop{launch=true}" | FileCheck %s
// Block loops are the grid, mapped axes bits of the thread's number; sums over threads go through the warp, then through
// memory of the block. What is read twice of an argument is read once; of threads that have one value, one writes it.

func.func @rows(%x: tensor<64x1000xf32>) -> (tensor<64xf32>, tensor<64x1000xf32>) {
  %s, %y = loop.for i0 = 64 block -> [i0], [i0, 0] {
    %m = loop.stage m [j1: thread 250, j: vec 4] (%a = %x[i0, 4 * j1 + j]) -> add [0] {
      loop.yield %a : f32
    }
    %d = loop.stage d [j1: thread 250, j: vec 4] (%a = %x[i0, 4 * j1 + j], %b = %m[0]) -> [0, 4 * j1 + j] {
      %c = arith.subf %a, %b : f32
      loop.yield %c : f32
    }
    loop.yield %m, %d : tensor<1xf32>, tensor<1x1000xf32>
  }
  func.return %s, %y : tensor<64xf32>, tensor<64x1000xf32>
}

// CHECK-LABEL: func.func @rows(%x: memref<64x1000xf32>, %out0: memref<64xf32>, %out1: memref<64x1000xf32>)
// CHECK: gpu.launch blocks(%bx, %by, %bz) in (%gx = %c64, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
// CHECK: [[POINT:%.*]] = arith.minui %tx, %c249 : index
// CHECK: [[A:%.*]] = vector.transfer_read %x[%bx, {{.*}} vector<4xf32>
// CHECK: [[SUM:%.*]] = vector.multi_reduction <add>, [[A]]
// CHECK: [[OWN:%.*]] = arith.cmpi ult, %tx, %c250 : index
// CHECK: arith.select [[OWN]], [[SUM]], {{.*}} : f32
// CHECK: gpu.shuffle xor
// CHECK: memref.alloc() {alignment = 64 : i64} : memref<1x256xf32, #gpu.address_space<workgroup>>
// CHECK: scf.if
// CHECK-NEXT: memref.store {{.*}}, %out0[%bx] : memref<64xf32>
// CHECK-NOT: transfer_read
// CHECK: scf.if [[OWN]]
// CHECK: vector.transfer_write {{.*}}, %out1
// CHECK: gpu.terminator
