// RUN: mlc-opt %s -p recognize | FileCheck %s
// RUN: mlc-opt %s -p 'recognize{numerics=fast}' | FileCheck %s --check-prefix=FAST

// Causal, of [batch, length, heads, features].
// CHECK-LABEL: @causal
// CHECK:      %[[Y:.*]] = nd.attention %q, %k, %v "a b c d, a e c d, a e c f -> a b c f" scale 0.5 causal
// CHECK-NEXT: func.return %[[Y]]
func.func @causal(%q: tensor<2x8x3x4xf32>, %k: tensor<2x8x3x4xf32>, %v: tensor<2x8x3x4xf32>) -> tensor<2x8x3x4xf32> {
  %0 = nd.contract %q, %k "a b c d, a e c d -> a c b e" : (tensor<2x8x3x4xf32>, tensor<2x8x3x4xf32>) -> tensor<2x3x8x8xf32>
  %1 = nd.constant 0.5 : tensor<2x3x8x8xf32>
  %2 = nd.mul %0, %1 : tensor<2x3x8x8xf32>
  %3 = nd.iota 0 : tensor<8xi32>
  %4 = nd.broadcast %3 "a -> a b" : tensor<8xi32> -> tensor<8x8xi32>
  %5 = nd.broadcast %3 "a -> b a" : tensor<8xi32> -> tensor<8x8xi32>
  %6 = nd.compare ge %4, %5 : tensor<8x8xi32> -> tensor<8x8xi1>
  %7 = nd.broadcast %6 "a b -> c d a b" : tensor<8x8xi1> -> tensor<2x3x8x8xi1>
  %8 = nd.constant -inf : tensor<2x3x8x8xf32>
  %9 = nd.select %7, %2, %8 : tensor<2x3x8x8xi1>, tensor<2x3x8x8xf32>
  %10 = nd.softmax %9 : tensor<2x3x8x8xf32>
  %11 = nd.contract %v, %10 "a b c d, a c e b -> a e c d" : (tensor<2x8x3x4xf32>, tensor<2x3x8x8xf32>) -> tensor<2x8x3x4xf32>
  func.return %11 : tensor<2x8x3x4xf32>
}

// A number that scores may come near stands for -inf at the level fast only. One diagonal more is not causal.
// CHECK-LABEL: @low
// CHECK-NOT:  nd.attention
// CHECK:      nd.softmax
// FAST-LABEL: @low
// FAST-NOT:   causal
// FAST:       nd.attention %q, %k, %v, %{{.*}} "a b, c b, c d, a c -> a d"
func.func @low(%q: tensor<8x4xf32>, %k: tensor<8x4xf32>, %v: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %0 = nd.contract %q, %k "a b, c b -> a c" : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x8xf32>
  %1 = nd.iota 0 : tensor<8x8xi32>
  %2 = nd.iota 1 : tensor<8x8xi32>
  %3 = nd.constant 1 : tensor<8x8xi32>
  %4 = nd.add %1, %3 : tensor<8x8xi32>
  %5 = nd.compare ge %4, %2 : tensor<8x8xi32> -> tensor<8x8xi1>
  %6 = nd.constant -1.0e+09 : tensor<8x8xf32>
  %7 = nd.select %5, %0, %6 : tensor<8x8xi1>, tensor<8x8xf32>
  %8 = nd.softmax %7 : tensor<8x8xf32>
  %9 = nd.contract %8, %v "a b, b c -> a c" : (tensor<8x8xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  func.return %9 : tensor<8x4xf32>
}

// A scale in front of a bias is one of both; here only the scores are scaled, in two steps.
// CHECK-LABEL: @bias
// CHECK:      nd.attention %q, %k, %v, %b "a b, c b, c d, a c -> a d" scale 0.25
func.func @bias(%q: tensor<8x4xf32>, %k: tensor<8x4xf32>, %v: tensor<8x4xf32>, %b: tensor<8x8xf32>) -> tensor<8x4xf32> {
  %0 = nd.constant 0.5 : tensor<8x4xf32>
  %1 = nd.mul %q, %0 : tensor<8x4xf32>
  %2 = nd.contract %1, %k "a b, c b -> a c" : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x8xf32>
  %3 = nd.constant 0.5 : tensor<8x8xf32>
  %4 = nd.mul %2, %3 : tensor<8x8xf32>
  %5 = nd.add %4, %b : tensor<8x8xf32>
  %6 = nd.softmax %5 : tensor<8x8xf32>
  %7 = nd.contract %6, %v "a b, b c -> a c" : (tensor<8x8xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  func.return %7 : tensor<8x4xf32>
}
