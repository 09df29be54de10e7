// RUN: mlc-opt %s -p "loop-split{axis=j size=16}" | FileCheck %s
// Strip-mining inside of the domains; the ragged end of 8 is cut off.

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
// CHECK: %m = loop.stage max [i: 4, j0: 2, j: 16] (%x = %X[i, 16 * j0 + j]) -> max [i] {
// CHECK: loop.yield %x : f32
// CHECK: %m_1 = loop.stage max [i: 4, j: 8] (%x_1 = %X[i, j + 32]) -> max [i] {
// CHECK: loop.yield %x_1 : f32
// CHECK: %m_2 = loop.stage max_rest [i: 4] (%0 = %m[i], %1 = %m_1[i]) -> [i] {
// CHECK: %2 = arith.maximumf %0, %1 : f32
// CHECK: loop.yield %2 : f32
// CHECK: %Y = loop.stage sub [i: 4, j0: 2, j: 16] (%x_2 = %X[i, 16 * j0 + j], %t = %m_2[i]) -> [i, 16 * j0 + j] {
// CHECK: %d = arith.subf %x_2, %t : f32
// CHECK: loop.yield %d : f32
// CHECK: %Y_1 = loop.stage sub [i: 4, j: 8] (%x_3 = %X[i, j + 32], %t_1 = %m_2[i]) -> [i, j] {
// CHECK: %d_1 = arith.subf %x_3, %t_1 : f32
// CHECK: loop.yield %d_1 : f32
// CHECK: %Y_2 = loop.join (%Y at [0, 0], %Y_1 at [0, 32]) : tensor<4x40xf32>
// CHECK: func.return %Y_2 : tensor<4x40xf32>
