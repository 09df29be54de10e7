// RUN: mlc-opt %s -p nd-to-loop --split-input-file | FileCheck %s

// Windows read the operand between identities; one that never leaves it is read as it is.
// CHECK-LABEL: func.func @pool
// CHECK-NEXT:    %[[F:.*]] = loop.stage fill [{{.}}: 9] () -> [{{.}}]
// CHECK-NEXT:      arith.constant 0xff800000 : f32
// CHECK:         %[[P:.*]] = loop.stage piece [{{.}}: 8] (%{{.*}} = %x[{{.}}])
// CHECK:         %[[J:.*]] = loop.join (%[[F]] at [0], %[[P]] at [1]) : tensor<9xf32>
// CHECK:         loop.stage window_max [i: 4, j: 3] (%{{.*}} = %[[J]][2 * i + j]) -> max [i]
// CHECK:         loop.stage window_max_1 [m: 4, n: 2] (%{{.*}} = %x[2 * m + n]) -> max [m]
func.func @pool(%x: tensor<8xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = nd.reduce_window max %x "2*a+b-1 -> a" window [3] to tensor<4xf32> : (tensor<8xf32>) -> tensor<4xf32>
  %1 = nd.reduce_window max %x "2*a+b -> a" window [2] to tensor<4xf32> : (tensor<8xf32>) -> tensor<4xf32>
  func.return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// Around a large operand only what it leaves is filled.
// CHECK-LABEL: func.func @large
// CHECK-NEXT:    %[[P:.*]] = loop.stage piece [{{.}}: 100, {{.}}: 100] (%{{.*}} = %x[{{.}}, {{.}}])
// CHECK:         %[[A:.*]] = loop.stage fill [{{.}}: 1, {{.}}: 102] (%{{.*}} = %v[])
// CHECK:         %[[B:.*]] = loop.stage fill_1 [{{.}}: 100, {{.}}: 2] (%{{.*}} = %v[])
// CHECK:         loop.join (%[[A]] at [0, 0], %[[B]] at [1, 100], %[[P]] at [1, 0]) : tensor<101x102xf32>
func.func @large(%x: tensor<100x100xf32>, %v: tensor<f32>) -> tensor<101x102xf32> {
  %0 = nd.pad %x, %v low [1, 0] high [0, 2] interior [0, 0] : (tensor<100x100xf32>, tensor<f32>) -> tensor<101x102xf32>
  func.return %0 : tensor<101x102xf32>
}

// -----

// What is combined so far is carried; every iteration places one element of all lines.
// CHECK-LABEL: func.func @sums
// CHECK-NEXT:    %[[Z:.*]] = loop.stage init [i: 8, k: 4] () -> [i, 0, k]
// CHECK:         %{{.*}}, %[[Y:.*]] = loop.for j = 100 with (%[[C:.*]] = %[[Z]]) -> carry [0, 0, 0], [0, j, 0] {
// CHECK-NEXT:      %{{.*}}, %{{.*}} = loop.stage cumulative_sum [i: 8, k: 4] (%{{.*}} = %[[C]][i, 0, k], %{{.*}} = %x[i, j, k]) -> [i, 0, k], [i, 0, k] {
// CHECK-NEXT:        arith.addf
// CHECK:         func.return %[[Y]]
func.func @sums(%x: tensor<8x100x4xf32>) -> tensor<8x100x4xf32> {
  %0 = nd.cumulative sum %x along [1] : tensor<8x100x4xf32>
  func.return %0 : tensor<8x100x4xf32>
}

// -----

// From the end: reads and results count down.
// CHECK-LABEL: func.func @reversed
// CHECK:         loop.for [[K:.]] = n with (%[[C:.*]] = %{{.*}}) -> carry [0], [-[[K]] + (n - 1)] {
// CHECK-NEXT:      loop.stage cumulative_max [] (%{{.*}} = %[[C]][0], %{{.*}} = %x[-[[K]] + (n - 1)]) -> [0], [0] {
// CHECK-NEXT:        arith.maximumf
func.func @reversed(%x: tensor<?xf32, #nd.sym<n>>) -> tensor<?xf32, #nd.sym<n>> {
  %0 = nd.cumulative max %x along [0] reverse : tensor<?xf32, #nd.sym<n>>
  func.return %0 : tensor<?xf32, #nd.sym<n>>
}

// -----

// CHECK-LABEL: func.func @sorts
// CHECK-NEXT:    loop.sort %x along 0 descending
// CHECK-NEXT:    loop.sort %x along 1 positions
func.func @sorts(%x: tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<8x4xi64>) {
  %0 = nd.sort %x along [0] descending : tensor<8x4xf32>
  %1 = nd.argsort %x along [1] : (tensor<8x4xf32>) -> tensor<8x4xi64>
  func.return %0, %1 : tensor<8x4xf32>, tensor<8x4xi64>
}
