// RUN: mlc-opt %s -p "loop-tile{axis=i size=6}" | FileCheck %s
// Clamped tiles where there are points enough for one, else single points.

func.func @rows(%X: tensor<?x8xf32, #nd.sym<n>>) -> tensor<?x8xf32, #nd.sym<n>> {
  loop.size n = %X, 0
  %Y = loop.stage neg [i: n, j: 8] (%x = %X[i, j]) -> [i, j] {
    %d = arith.negf %x : f32
    loop.yield %d : f32
  }
  func.return %Y : tensor<?x8xf32, #nd.sym<n>>
}

// CHECK-LABEL: func.func @rows(%X: tensor<?x8xf32, #nd.sym<n>>) -> tensor<?x8xf32, #nd.sym<n>>
// CHECK: loop.size n = %X, 0
// CHECK: %Y = loop.if n >= 6 {
// CHECK: %Y_1 = loop.for i0 = n step 6 clamp -> [i0, 0] {
// CHECK: %Y_2 = loop.stage neg [i: 6, j: 8] (%x = %X[i + i0, j]) -> [i, j] {
// CHECK: %d = arith.negf %x : f32
// CHECK: loop.yield %d : f32
// CHECK: loop.yield %Y_2 : tensor<6x8xf32>
// CHECK: loop.yield %Y_1 : tensor<?x8xf32, #nd.sym<n>>
// CHECK: } else {
// CHECK: %Y_3 = loop.for i0 = n -> [i0, 0] {
// CHECK: %Y_4 = loop.stage neg [j: 8] (%x_1 = %X[i0, j]) -> [0, j] {
// CHECK: %d_1 = arith.negf %x_1 : f32
// CHECK: loop.yield %d_1 : f32
// CHECK: loop.yield %Y_4 : tensor<1x8xf32>
// CHECK: loop.yield %Y_3 : tensor<?x8xf32, #nd.sym<n>>
// CHECK: func.return %Y : tensor<?x8xf32, #nd.sym<n>>
