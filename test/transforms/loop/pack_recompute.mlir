// RUN: mlc-opt %s -p "loop-pack{value=m axes=i only=sub recompute=true}" | FileCheck %s
// The producer's statement in place of a copy of its result.

func.func @rows(%X: tensor<4x40xf32>) -> tensor<4x40xf32> {
  %m = loop.stage max [i: 4, j: 40] (%x = %X[i, j]) -> max [i] {
    loop.yield %x : f32
  }
  %Y = loop.stage sub [i: 4, j: 40] (%x = %X[i, j], %t = %m[i]) -> [i, j] {
    %d = arith.subf %x, %t : f32
    loop.yield %d : f32
  }
  func.return %Y : tensor<4x40xf32>
}

// CHECK-LABEL: func.func @rows(%X: tensor<4x40xf32>) -> tensor<4x40xf32>
// CHECK: %pack_m = loop.stage pack_m [i: 4, j_: 40] (%x = %X[i, j_]) -> max [i] {
// CHECK: loop.yield %x : f32
// CHECK: %Y = loop.stage sub [i: 4, j: 40] (%x_1 = %X[i, j], %t = %pack_m[i]) -> [i, j] {
// CHECK: %d = arith.subf %x_1, %t : f32
// CHECK: loop.yield %d : f32
// CHECK: func.return %Y : tensor<4x40xf32>
