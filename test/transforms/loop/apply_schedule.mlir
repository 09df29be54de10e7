// RUN: mlc-opt %s -p "apply-schedule" | FileCheck %s
// The schedule that a function carries is run and removed.

func.func @rows(%X: tensor<4x40xf32>) -> tensor<4x40xf32> attributes {loop.schedule = "loop-nest{axis=i},loop-vectorize{axes=j}"} {
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
// CHECK: %Y = loop.for i = 4 -> [i, 0] {
// CHECK: %m = loop.stage max [j: vec 40] (%x = %X[i, j]) -> max [0] {
// CHECK: loop.yield %x : f32
// CHECK: %Y_1 = loop.stage sub [j: vec 40] (%x_1 = %X[i, j], %t = %m[0]) -> [0, j] {
// CHECK: %d = arith.subf %x_1, %t : f32
// CHECK: loop.yield %d : f32
// CHECK: loop.yield %Y_1 : tensor<1x40xf32>
// CHECK: func.return %Y : tensor<4x40xf32>
