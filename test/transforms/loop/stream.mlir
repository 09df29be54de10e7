// RUN: mlc-opt %s -p "loop-stream{only=sub}" | FileCheck %s
// Results stored past the caches.

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
// CHECK: %m = loop.stage max [i: 4, j: 40] (%x = %X[i, j]) -> max [i] {
// CHECK: loop.yield %x : f32
// CHECK: %Y = loop.stage sub [i: 4, j: 40] (%x_1 = %X[i, j], %t = %m[i]) -> stream [i, j] {
// CHECK: %d = arith.subf %x_1, %t : f32
// CHECK: loop.yield %d : f32
// CHECK: func.return %Y : tensor<4x40xf32>
