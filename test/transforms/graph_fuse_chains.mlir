// RUN: mlc-opt %s -p graph-fuse | FileCheck %s
// RUN: mlc-opt %s -p "graph-fuse{chains=false}" | FileCheck %s --check-prefix=APART
// Contractions that feed each other through reductions of their rows share a kernel, with what is between and behind.

// CHECK-LABEL: @attention
// CHECK: graph.kernel "matmul_mul_max_matmul_mul" (%q_1 = %q, %k_1 = %k, %v_1 = %v) -> (tensor<2x32x16xf32>)
// CHECK-NOT: graph.kernel
// APART-LABEL: @attention
// APART-COUNT-3: graph.kernel
func.func @attention(%q: tensor<2x32x16xf32>, %k: tensor<2x64x16xf32>, %v: tensor<2x64x16xf32>) -> tensor<2x32x16xf32> {
  %0 = nd.attention %q, %k, %v "b q d, b k d, b k e -> b q e" scale 0.25 : (tensor<2x32x16xf32>, tensor<2x64x16xf32>, tensor<2x64x16xf32>) -> tensor<2x32x16xf32>
  func.return %0 : tensor<2x32x16xf32>
}

// Any function of the scores, and any reduction; a mask of indices is computed where it is read.
// CHECK-LABEL: @other
// CHECK: graph.kernel "matmul_tanh_compare_matmul_div"
// CHECK: nd.iota
// CHECK-NOT: graph.kernel
func.func @other(%q: tensor<4x32x16xf32>, %k: tensor<4x64x16xf32>, %v: tensor<4x64x16xf32>) -> tensor<4x32x16xf32> {
  %s = nd.contract %q, %k "a b c, a d c -> a b d" : (tensor<4x32x16xf32>, tensor<4x64x16xf32>) -> tensor<4x32x64xf32>
  %t = nd.tanh %s : tensor<4x32x64xf32>
  %i = nd.iota 0 : tensor<32x64xi64>
  %j = nd.iota 1 : tensor<32x64xi64>
  %c = nd.compare ge %i, %j : tensor<32x64xi64> -> tensor<32x64xi1>
  %m = nd.broadcast %c "a b -> c a b" : tensor<32x64xi1> -> tensor<4x32x64xi1>
  %z = nd.constant 0.0 : tensor<4x32x64xf32>
  %p = nd.select %m, %t, %z : tensor<4x32x64xi1>, tensor<4x32x64xf32>
  %n = nd.reduce sum %p "a b c -> a b" : (tensor<4x32x64xf32>) -> tensor<4x32xf32>
  %y = nd.contract %p, %v "a b c, a c d -> a b d" : (tensor<4x32x64xf32>, tensor<4x64x16xf32>) -> tensor<4x32x16xf32>
  %d = nd.broadcast %n "a b -> a b c" : tensor<4x32xf32> -> tensor<4x32x16xf32>
  %r = nd.div %y, %d : tensor<4x32x16xf32>
  func.return %r : tensor<4x32x16xf32>
}

// Scores that somebody else reads are in memory anyway.
// CHECK-LABEL: @returned
// CHECK-COUNT-3: graph.kernel
func.func @returned(%q: tensor<2x32x16xf32>, %k: tensor<2x64x16xf32>, %v: tensor<2x64x16xf32>) -> (tensor<2x32x16xf32>, tensor<2x32x64xf32>) {
  %s = nd.contract %q, %k "a b c, a d c -> a b d" : (tensor<2x32x16xf32>, tensor<2x64x16xf32>) -> tensor<2x32x64xf32>
  %p = nd.softmax %s : tensor<2x32x64xf32>
  %y = nd.contract %p, %v "a b c, a c d -> a b d" : (tensor<2x32x64xf32>, tensor<2x64x16xf32>) -> tensor<2x32x16xf32>
  func.return %y, %p : tensor<2x32x16xf32>, tensor<2x32x64xf32>
}

// Deep sums: what is written and read between them costs little. So do few rows, which read the keys alone.
// CHECK-LABEL: @deep
// CHECK-COUNT-3: graph.kernel
func.func @deep(%q: tensor<32x768xf32>, %k: tensor<64x768xf32>, %v: tensor<64x768xf32>) -> tensor<32x768xf32> {
  %0 = nd.attention %q, %k, %v "q d, k d, k e -> q e" scale 0.25 : (tensor<32x768xf32>, tensor<64x768xf32>, tensor<64x768xf32>) -> tensor<32x768xf32>
  func.return %0 : tensor<32x768xf32>
}

// CHECK-LABEL: @row
// CHECK-COUNT-3: graph.kernel
func.func @row(%q: tensor<2x1x16xf32>, %k: tensor<2x64x16xf32>, %v: tensor<2x64x16xf32>) -> tensor<2x1x16xf32> {
  %0 = nd.attention %q, %k, %v "b q d, b k d, b k e -> b q e" scale 0.25 : (tensor<2x1x16xf32>, tensor<2x64x16xf32>, tensor<2x64x16xf32>) -> tensor<2x1x16xf32>
  func.return %0 : tensor<2x1x16xf32>
}

// What the rows become is needed by the keys of the second contraction: one after the other.
// CHECK-LABEL: @cycle
// CHECK-COUNT-3: graph.kernel
func.func @cycle(%q: tensor<32x16xf32>, %k: tensor<64x16xf32>, %v: tensor<64x16xf32>) -> tensor<32x16xf32> {
  %s = nd.contract %q, %k "b c, d c -> b d" : (tensor<32x16xf32>, tensor<64x16xf32>) -> tensor<32x64xf32>
  %t = nd.reduce max %s "a b -> a" : (tensor<32x64xf32>) -> tensor<32xf32>
  %u = nd.reduce max %t "a ->" : (tensor<32xf32>) -> tensor<f32>
  %w = nd.broadcast %u "-> a b" : tensor<f32> -> tensor<64x16xf32>
  %x = nd.mul %v, %w : tensor<64x16xf32>
  %y = nd.contract %s, %x "a c, c d -> a d" : (tensor<32x64xf32>, tensor<64x16xf32>) -> tensor<32x16xf32>
  func.return %y : tensor<32x16xf32>
}
