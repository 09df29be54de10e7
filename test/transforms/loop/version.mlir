// RUN: mlc-opt %s -p "loop-version{axis=i least=6},loop-pad{axis=i size=5 only=mm_below6},loop-tile{axis=i size=6 only=mm}" | FileCheck %s
// Tiles where there are rows enough for one, without a version of single rows; a fixed number of rows where there are not.

func.func @mm(%A: tensor<?x256xf32, #nd.sym<m>>, %B: tensor<256x64xf32>) -> tensor<?x64xf32, #nd.sym<m>> {
  loop.size m = %A, 0
  %c = loop.stage mm [i: m, j: 64, k: 256] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %c : tensor<?x64xf32, #nd.sym<m>>
}

// CHECK-LABEL: func.func @mm
// CHECK: %c = loop.if m >= 6 {
// CHECK:   %c_1 = loop.for i0 = m step 6 clamp -> [i0, 0] {
// CHECK:     %c_2 = loop.stage mm [i: 6, j: 64, k: 256] (%a = %A[i + i0, k], %b = %B[k, j]) -> add [i, j] {
// CHECK-NOT: loop.if
// CHECK: } else {
// CHECK:   [[Z:%[0-9]+]] = loop.stage zeros_A_mm_below6 [r0: 5, r1: 256] () -> [r0, r1] {
// CHECK:     arith.constant 0.000000e+00 : f32
// CHECK:   [[P:%[0-9]+]] = loop.stage piece_A_mm_below6 [r0: m, r1: 256] ([[V:%[0-9]+]] = %A[r0, r1]) -> [r0, r1] {
// CHECK:     loop.yield [[V]] : f32
// CHECK:   %A_1 = loop.join ([[Z]] at [0, 0], [[P]] at [0, 0]) : tensor<5x256xf32>
// CHECK:   %c_3 = loop.stage mm_below6 [i: 5, j: 64, k: 256] (%a_1 = %A_1[i, k], %b_1 = %B[k, j]) -> add [i, j] {
// CHECK:   %c_4 = loop.stage rows_c_mm_below6 [r0: m, r1: 64] ([[R:%[0-9]+]] = %c_3[r0, r1]) -> [r0, r1] {
// CHECK:   loop.yield %c_4 : tensor<?x64xf32, #nd.sym<m>>
// CHECK: func.return %c : tensor<?x64xf32, #nd.sym<m>>
