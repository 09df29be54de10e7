// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%q: tensor<2x7x4xf32>, %k: tensor<2x9x4xf32>, %v: tensor<2x9x3xf32>, %m: tensor<7x9xi1>) {
  // CHECK: %0 = nd.attention %q, %k, %v "a b c, a d c, a d e -> a b e" scale 0.5 causal : (tensor<2x7x4xf32>, tensor<2x9x4xf32>, tensor<2x9x3xf32>) -> tensor<2x7x3xf32>
  %0 = nd.attention %q, %k, %v "a b c, a d c, a d e -> a b e" scale 0.5 causal : (tensor<2x7x4xf32>, tensor<2x9x4xf32>, tensor<2x9x3xf32>) -> tensor<2x7x3xf32>
  // CHECK: %1 = nd.attention %q, %k, %v, %m "a b c, a d c, a d e, b d -> a b e" scale 1.0 : (tensor<2x7x4xf32>, tensor<2x9x4xf32>, tensor<2x9x3xf32>, tensor<7x9xi1>) -> tensor<2x7x3xf32>
  %1 = nd.attention %q, %k, %v, %m "a b c, a d c, a d e, b d -> a b e" scale 1.0 : (tensor<2x7x4xf32>, tensor<2x9x4xf32>, tensor<2x9x3xf32>, tensor<7x9xi1>) -> tensor<2x7x3xf32>
  func.return
}

// -----

func.func @keys(%q: tensor<7x4xf32>, %k: tensor<9x4xf32>, %v: tensor<8x3xf32>) {
  // expected-error@+1 {{operand 2, dimension 0: expected size 9 of "c" in "a b, c b, c d -> a d", found 8}}
  %0 = nd.attention %q, %k, %v "a b, c b, c d -> a d" scale 0.5 : (tensor<7x4xf32>, tensor<9x4xf32>, tensor<8x3xf32>) -> tensor<7x3xf32>
  func.return
}

// -----

func.func @form(%q: tensor<7x4xf32>, %k: tensor<4x9xf32>) {
  // expected-error@+1 {{expected q, k, v and perhaps a mask, such as "b q d, b k d, b k e -> b q e", found "a b, b c -> a c"}}
  %0 = nd.attention %q, %k "a b, b c -> a c" scale 0.5 : (tensor<7x4xf32>, tensor<4x9xf32>) -> tensor<7x9xf32>
  func.return
}

// -----

func.func @mask(%q: tensor<7x4xf32>, %k: tensor<9x4xf32>, %m: tensor<7x9xi32>) {
  // expected-error@+1 {{expected a mask of i1 or f32, found tensor<7x9xi32>}}
  %0 = nd.attention %q, %k, %k, %m "a b, c b, c d, a c -> a d" scale 0.5 : (tensor<7x4xf32>, tensor<9x4xf32>, tensor<9x4xf32>, tensor<7x9xi32>) -> tensor<7x4xf32>
  func.return
}
