// RUN: mlc-opt %s -p "lower-loop{launch=true},insert-barriers" | FileCheck %s
// All threads of a block go along a swept axis, of any length; a thread's elements are its own, a sum is everyone's.

func.func @rows(%x: tensor<64x?xf32, #nd.sym<n>>) -> (tensor<64xf32>, tensor<64x?xf32, #nd.sym<n>>) {
  loop.size n = %x, 1
  %s, %y = loop.for i0 = 64 block -> [i0], [i0, 0] {
    %m, %d = loop.stage m [j: sweep n] (%a = %x[i0, j]) -> add [0], [0, j] {
      %c = arith.negf %a : f32
      loop.yield %a, %c : f32, f32
    }
    loop.yield %m, %d : tensor<1xf32>, tensor<1x?xf32, #nd.sym<n>>
  }
  func.return %s, %y : tensor<64xf32>, tensor<64x?xf32, #nd.sym<n>>
}

// CHECK: %n = memref.dim %x, %c1
// CHECK: gpu.launch blocks(%bx, %by, %bz) in (%gx = %c64, {{.*}}) threads(%tx, %ty, %tz) in (%sx = %c256, {{.*}}) {
// CHECK: {{.*}} = scf.for [[J:%.*]] = %tx to %n step %c256 iter_args({{.*}}) -> (f32) {
// CHECK: [[A:%.*]] = memref.load %x[%bx, [[J]]]
// CHECK: memref.store {{.*}}, %out1[%bx, [[J]]]
// CHECK: arith.addf {{.*}} fastmath<contract> : f32
// CHECK: gpu.shuffle xor
// CHECK: gpu.barrier
// CHECK: scf.if
// CHECK-NEXT: memref.store {{.*}}, %out0[%bx]
