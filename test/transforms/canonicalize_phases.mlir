// RUN: mlc-opt %s -p canonicalize --split-input-file | FileCheck %s
// A window that reads only where a stride divides falls into sums over every second tap.

// CHECK-LABEL: @gradient
// CHECK-COUNT-2: nd.slice
// CHECK-NOT: {{/2}}
// CHECK: nd.concat
func.func @gradient(%y: tensor<5x4xf32>, %w: tensor<3x7x4xf32>) -> tensor<10x7xf32> {
  %0 = nd.contract %y, %w "(a-b+1)/2 e, b d e -> a d" to tensor<10x7xf32> : (tensor<5x4xf32>, tensor<3x7x4xf32>) -> tensor<10x7xf32>
  func.return %0 : tensor<10x7xf32>
}

// -----
// One tap and stride 2: every second result is zero.

// CHECK-LABEL: @zeros
// CHECK: nd.constant 0.0
// CHECK: nd.concat
func.func @zeros(%y: tensor<5x4xf32>, %w: tensor<1x7x4xf32>) -> tensor<9x7xf32> {
  %0 = nd.contract %y, %w "(a-b)/2 e, b d e -> a d" to tensor<9x7xf32> : (tensor<5x4xf32>, tensor<1x7x4xf32>) -> tensor<9x7xf32>
  func.return %0 : tensor<9x7xf32>
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
