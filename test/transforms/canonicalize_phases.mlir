// RUN: mlc-opt %s -p canonicalize --split-input-file | FileCheck %s
// A window that reads only where a stride divides falls into sums over every second tap.

// CHECK-LABEL: @gradient
// CHECK-COUNT-2: nd.slice
// CHECK-NOT: {{/2}}
// CHECK: nd.iota 1 : tensor<5x2x7xi32>
// CHECK: nd.select
// CHECK: nd.reshape {{.*}} -> tensor<10x7xf32>
func.func @gradient(%y: tensor<5x4xf32>, %w: tensor<3x7x4xf32>) -> tensor<10x7xf32> {
  %0 = nd.contract %y, %w "(a-b+1)/2 e, b d e -> a d" to tensor<10x7xf32> : (tensor<5x4xf32>, tensor<3x7x4xf32>) -> tensor<10x7xf32>
  func.return %0 : tensor<10x7xf32>
}

// -----
// One tap and stride 2: every second result is zero.

// CHECK-LABEL: @zeros
// CHECK: nd.constant 0.0
// CHECK: nd.select
func.func @zeros(%y: tensor<5x4xf32>, %w: tensor<1x7x4xf32>) -> tensor<9x7xf32> {
  %0 = nd.contract %y, %w "(a-b)/2 e, b d e -> a d" to tensor<9x7xf32> : (tensor<5x4xf32>, tensor<1x7x4xf32>) -> tensor<9x7xf32>
  func.return %0 : tensor<9x7xf32>
}

// -----
// Two dimensions with lines of 10: padded once, to 12, and taken as one of 6 * 12 places; the last line reads on. All four
// phases are chosen from at once.

// CHECK-LABEL: @lines
// CHECK: nd.pad {{.*}} low [0, 0, 0] high [0, 2, 1]
// CHECK: nd.contract {{.*}} to tensor<3x66xf32>
// CHECK-COUNT-3: nd.contract
// CHECK: nd.slice {{.*}} -> tensor<3x6x10xf32>
// CHECK-COUNT-3: nd.select
// CHECK: nd.reshape {{.*}} -> tensor<3x12x20xf32>
func.func @lines(%y: tensor<4x6x10xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<3x12x20xf32> {
  %0 = nd.contract %y, %w "a (b-c+1)/2 (d-e+1)/2, a f c e -> f b d" to tensor<3x12x20xf32> : (tensor<4x6x10xf32>, tensor<4x3x3x3xf32>) -> tensor<3x12x20xf32>
  func.return %0 : tensor<3x12x20xf32>
}

// -----
// The stride divides the dilation: each tap is in one phase only if it does not.

// CHECK-LABEL: @stays
// CHECK: (a-2*b)/2
func.func @stays(%y: tensor<5x4xf32>, %w: tensor<3x7x4xf32>) -> tensor<10x7xf32> {
  %0 = nd.contract %y, %w "(a-2*b)/2 e, b d e -> a d" to tensor<10x7xf32> : (tensor<5x4xf32>, tensor<3x7x4xf32>) -> tensor<10x7xf32>
  func.return %0 : tensor<10x7xf32>
}

// -----
// Sizes that are known at run time only.

// CHECK-LABEL: @symbolic
// CHECK: /2
func.func @symbolic(%y: tensor<?x4xf32, #nd.sym<n>>, %w: tensor<3x7x4xf32>) -> tensor<10x7xf32> {
  %0 = nd.contract %y, %w "(a-b+1)/2 e, b d e -> a d" to tensor<10x7xf32> : (tensor<?x4xf32, #nd.sym<n>>, tensor<3x7x4xf32>) -> tensor<10x7xf32>
  func.return %0 : tensor<10x7xf32>
}
