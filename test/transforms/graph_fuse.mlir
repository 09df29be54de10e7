// RUN: mlc-opt %s -p graph-fuse --split-input-file | FileCheck %s

// A contraction takes what is elementwise over its result; a transpose to a result stays outside.
// CHECK-LABEL: func.func @main(%x: tensor<8x16xf32>
// CHECK-NEXT:    %0 = graph.kernel "matmul_add" (%x_1 = %x, %w_1 = %w, %b_1 = %b) -> (tensor<8x4xf32>) {
// CHECK-NEXT:      %1 = nd.contract %x_1, %w_1 "a b, b c -> a c"
// CHECK-NEXT:      %2 = nd.broadcast %b_1 "b -> a b"
// CHECK-NEXT:      %3 = nd.add %1, %2
// CHECK-NEXT:      graph.yield %3
// CHECK-NEXT:    }
// CHECK-NEXT:    %1 = nd.transpose %0 "a b -> b a"
// CHECK-NEXT:    func.return %1
func.func @main(%x: tensor<8x16xf32>, %w: tensor<16x4xf32>, %b: tensor<4xf32>) -> tensor<4x8xf32> {
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<8x16xf32>, tensor<16x4xf32>) -> tensor<8x4xf32>
  %1 = nd.broadcast %b "b -> a b" : tensor<4xf32> -> tensor<8x4xf32>
  %2 = nd.add %0, %1 : tensor<8x4xf32>
  %3 = nd.transpose %2 "a b -> b a" : (tensor<8x4xf32>) -> tensor<4x8xf32>
  func.return %3 : tensor<4x8xf32>
}

// -----

// Max, exp, sum, quotient and product are one kernel over rows.
// CHECK-LABEL: func.func @softmax
// CHECK-NEXT:    graph.kernel "max_sub_exp_div_mul" (%x_1 = %x) -> (tensor<?x16xf32, #nd.sym<b>>) {
// CHECK-COUNT-9: = nd.
// CHECK-NEXT:      graph.yield
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
func.func @softmax(%x: tensor<?x16xf32, #nd.sym<b>>) -> tensor<?x16xf32, #nd.sym<b>> {
  %0 = nd.softmax %x : tensor<?x16xf32, #nd.sym<b>>
  func.return %0 : tensor<?x16xf32, #nd.sym<b>>
}

// -----

// x + transpose x: the sum cannot join exp, since it meets each element in two places.
// CHECK-LABEL: func.func @turned
// CHECK:         %0 = graph.kernel "exp"
// CHECK:         %1 = graph.kernel "add" (%2 = %0)
// CHECK-NEXT:      %3 = nd.transpose %2
func.func @turned(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = nd.exp %x : tensor<4x4xf32>
  %1 = nd.transpose %0 "a b -> b a" : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = nd.add %0, %1 : tensor<4x4xf32>
  func.return %2 : tensor<4x4xf32>
}

// -----

// Two sums over different axes of one product: no cycle, and the product is a result of its kernel.
// CHECK-LABEL: func.func @sums
// CHECK:         %0, %1 = graph.kernel "mul_sum"
// CHECK:         %2 = graph.kernel "sum"
func.func @sums(%x: tensor<4x8xf32>) -> (tensor<4xf32>, tensor<8xf32>) {
  %0 = nd.mul %x, %x : tensor<4x8xf32>
  %1 = nd.reduce sum %0 "a b -> a" : (tensor<4x8xf32>) -> tensor<4xf32>
  %2 = nd.reduce sum %0 "a b -> b" : (tensor<4x8xf32>) -> tensor<8xf32>
  func.return %1, %2 : tensor<4xf32>, tensor<8xf32>
}

// -----

// A reshape of columns needs a copy.
// CHECK-LABEL: func.func @columns
// CHECK-NEXT:    %0 = nd.transpose %x
// CHECK-NEXT:    %1 = graph.kernel "copy"
// CHECK:         %2 = nd.reshape %1
// CHECK-NEXT:    func.return %2
func.func @columns(%x: tensor<4x8xf32>) -> tensor<32xf32> {
  %0 = nd.transpose %x "a b -> b a" : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %1 = nd.reshape %0 : tensor<8x4xf32> -> tensor<32xf32>
  func.return %1 : tensor<32xf32>
}

// -----

// What pads the result of a contraction is written by its kernel, unless something else reads what is padded.
// CHECK-LABEL: func.func @padded
// CHECK-NEXT:    %0 = graph.kernel "matmul_exp_pad"
// CHECK:           graph.yield
// CHECK-NEXT:    }
// CHECK-NEXT:    %1 = graph.kernel "matmul"
// CHECK:         graph.kernel "pad" ({{.*}} = %1)
func.func @padded(%x: tensor<8x16xf32>, %w: tensor<16x4xf32>) -> (tensor<10x4xf32>, tensor<8x4xf32>, tensor<10x4xf32>) {
  %c = nd.constant 0.0 : tensor<f32>
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<8x16xf32>, tensor<16x4xf32>) -> tensor<8x4xf32>
  %1 = nd.exp %0 : tensor<8x4xf32>
  %2 = nd.pad %1, %c low [1, 0] high [1, 0] interior [0, 0] : (tensor<8x4xf32>, tensor<f32>) -> tensor<10x4xf32>
  %3 = nd.contract %x, %w "a b, b c -> a c" : (tensor<8x16xf32>, tensor<16x4xf32>) -> tensor<8x4xf32>
  %4 = nd.pad %3, %c low [1, 0] high [1, 0] interior [0, 0] : (tensor<8x4xf32>, tensor<f32>) -> tensor<10x4xf32>
  func.return %2, %3, %4 : tensor<10x4xf32>, tensor<8x4xf32>, tensor<10x4xf32>
}
