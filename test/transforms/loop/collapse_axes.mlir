// RUN: mlc-opt %s -p collapse-axes --split-input-file | FileCheck %s
// RUN: mlc-opt %s -p collapse-axes,collapse-axes --split-input-file | FileCheck %s
// RUN: mlc-opt %s -p collapse-axes,choose-schedule,apply-schedule,loop-copies,lower-loop --split-input-file
// Axes that are neighbours in memory wherever they are used.

// Pixels are one axis, through the bias and the residual; the place of the result stays.
// CHECK-LABEL: func.func @main(
// CHECK-NEXT: %x_1 = nd.reshape %x : tensor<1x8x5x6xf32> -> tensor<1x8x30xf32>
// CHECK-NEXT: %r_1 = nd.reshape %r : tensor<1x16x5x6xf32> -> tensor<1x16x30xf32>
// CHECK-NEXT: %y = graph.launch @pointwise(%x_1, %w, %bias, %r_1) {graph.places = [#graph.place<result 0, 1920>]} : (tensor<1x8x30xf32>, tensor<16x8xf32>, tensor<16xf32>, tensor<1x16x30xf32>) -> tensor<1x16x30xf32>
// CHECK-NEXT: %y_1 = nd.reshape %y : tensor<1x16x30xf32> -> tensor<1x16x5x6xf32>
// CHECK-NEXT: func.return %y_1
func.func @main(%x: tensor<1x8x5x6xf32>, %w: tensor<16x8xf32>, %bias: tensor<16xf32>, %r: tensor<1x16x5x6xf32>) -> tensor<1x16x5x6xf32> {
  %y = graph.launch @pointwise(%x, %w, %bias, %r) {graph.places = [#graph.place<result 0, 1920>]} : (tensor<1x8x5x6xf32>, tensor<16x8xf32>, tensor<16xf32>, tensor<1x16x5x6xf32>) -> tensor<1x16x5x6xf32>
  func.return %y : tensor<1x16x5x6xf32>
}
// CHECK: func.func private @pointwise(%x: tensor<1x8x30xf32>, %w: tensor<16x8xf32>, %bias: tensor<16xf32>, %r: tensor<1x16x30xf32>) -> tensor<1x16x30xf32>
// CHECK: %c = loop.stage mm [i: 1, j: 16, kl: 30, m: 8] (%a = %x[i, m, kl], %b = %w[j, m]) -> add [i, j, kl] {
// CHECK: %y = loop.stage add [i: 1, j: 16, kl: 30] (%{{.*}} = %c[i, j, kl], %q = %bias[j], %{{.*}} = %r[i, j, kl]) -> [i, j, kl] {
func.func private @pointwise(%x: tensor<1x8x5x6xf32>, %w: tensor<16x8xf32>, %bias: tensor<16xf32>, %r: tensor<1x16x5x6xf32>) -> tensor<1x16x5x6xf32> {
  %c = loop.stage mm [i: 1, j: 16, k: 5, l: 6, m: 8] (%a = %x[i, m, k, l], %b = %w[j, m]) -> add [i, j, k, l] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  %y = loop.stage add [i: 1, j: 16, k: 5, l: 6] (%p = %c[i, j, k, l], %q = %bias[j], %s = %r[i, j, k, l]) -> [i, j, k, l] {
    %t = arith.addf %p, %q : f32
    %u = arith.addf %t, %s : f32
    loop.yield %u : f32
  }
  func.return %y : tensor<1x16x5x6xf32>
}

// -----

// Rows of a batch, with a run-time size in front, and two reduced axes; what is handed from one launch to the next is viewed once.
// CHECK-LABEL: func.func @main(
// CHECK-NEXT: %x_1 = nd.reshape %x : tensor<?x5x4x3xf32, #nd.sym<b>> -> tensor<?x12xf32, #nd.sym<5*b>>
// CHECK-NEXT: %w_1 = nd.reshape %w : tensor<4x3x7xf32> -> tensor<12x7xf32>
// CHECK-NEXT: %y = graph.launch @rows(%x_1, %w_1)
// CHECK-NEXT: %y_1 = nd.reshape %y : tensor<?x7xf32, #nd.sym<5*b>> -> tensor<?xf32, #nd.sym<35*b>>
// CHECK-NEXT: %z = graph.launch @double(%y_1)
func.func @main(%x: tensor<?x5x4x3xf32, #nd.sym<b>>, %w: tensor<4x3x7xf32>) -> tensor<?x5x7xf32, #nd.sym<b>> {
  %y = graph.launch @rows(%x, %w) : (tensor<?x5x4x3xf32, #nd.sym<b>>, tensor<4x3x7xf32>) -> tensor<?x5x7xf32, #nd.sym<b>>
  %z = graph.launch @double(%y) : (tensor<?x5x7xf32, #nd.sym<b>>) -> tensor<?x5x7xf32, #nd.sym<b>>
  func.return %z : tensor<?x5x7xf32, #nd.sym<b>>
}
// CHECK: func.func private @rows(%x: tensor<?x12xf32, #nd.sym<5*b>>, %w: tensor<12x7xf32>) -> tensor<?x7xf32, #nd.sym<5*b>>
// CHECK: loop.size b = %x, 0
// CHECK: loop.stage mm [ij: 5*b, k: 7, mn: 12] (%a = %x[ij, mn], %b = %w[mn, k]) -> add [ij, k]
func.func private @rows(%x: tensor<?x5x4x3xf32, #nd.sym<b>>, %w: tensor<4x3x7xf32>) -> tensor<?x5x7xf32, #nd.sym<b>> {
  loop.size b = %x, 0
  %y = loop.stage mm [i: b, j: 5, k: 7, m: 4, n: 3] (%a = %x[i, j, m, n], %b = %w[m, n, k]) -> add [i, j, k] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %y : tensor<?x5x7xf32, #nd.sym<b>>
}
// CHECK: loop.stage double [ijk: 35*b]
func.func private @double(%x: tensor<?x5x7xf32, #nd.sym<b>>) -> tensor<?x5x7xf32, #nd.sym<b>> {
  loop.size b = %x, 0
  %y = loop.stage double [i: b, j: 5, k: 7] (%a = %x[i, j, k]) -> [i, j, k] {
    %p = arith.addf %a, %a : f32
    loop.yield %p : f32
  }
  func.return %y : tensor<?x5x7xf32, #nd.sym<b>>
}

// -----

// What an axis of one point adds does not matter; a number of two digits is one axis; so is what begins further on.
// CHECK: loop.stage copy [ij: 30, r: 1] (%a = %x[6 * r + ij + 6]) -> [ij]
func.func private @offset(%x: tensor<7x6xf32>) -> tensor<5x6xf32> {
  %y = loop.stage copy [i: 5, j: 6, r: 1] (%a = %x[i + r + 1, j]) -> [i, j] {
    loop.yield %a : f32
  }
  func.return %y : tensor<5x6xf32>
}
// CHECK: loop.stage copy [ij: 30] (%a = %x[ij]) -> [ij]
func.func private @digits(%x: tensor<30xf32>) -> tensor<5x6xf32> {
  %y = loop.stage copy [i: 5, j: 6] (%a = %x[6 * i + j]) -> [i, j] {
    loop.yield %a : f32
  }
  func.return %y : tensor<5x6xf32>
}

// -----

// Left alone: windows, parts of rows, strides, other layouts, values of loops and joins, positions of one of both.
// CHECK: loop.stage window [i: 4, j: 6, r: 3] (%a = %x[i + r, j]) -> add [i, j]
func.func private @window(%x: tensor<6x6xf32>) -> tensor<4x6xf32> {
  %y = loop.stage window [i: 4, j: 6, r: 3] (%a = %x[i + r, j]) -> add [i, j] {
    loop.yield %a : f32
  }
  func.return %y : tensor<4x6xf32>
}
// CHECK: loop.stage part [i: 5, j: 4] (%a = %x[i, j]) -> [i, j]
func.func private @part(%x: tensor<5x6xf32>) -> tensor<5x4xf32> {
  %y = loop.stage part [i: 5, j: 4] (%a = %x[i, j]) -> [i, j] {
    loop.yield %a : f32
  }
  func.return %y : tensor<5x4xf32>
}
// CHECK: loop.stage stride [i: 3, j: 6] (%a = %x[2 * i, j]) -> [i, j]
func.func private @stride(%x: tensor<5x6xf32>) -> tensor<3x6xf32> {
  %y = loop.stage stride [i: 3, j: 6] (%a = %x[2 * i, j]) -> [i, j] {
    loop.yield %a : f32
  }
  func.return %y : tensor<3x6xf32>
}
// CHECK: loop.stage layout [i: 5, j: 6] (%a = %x[i, j]) -> [i, j]
func.func private @layout(%x: tensor<5x6xf32> {mlc.layout = strided<[1, 5]>}) -> tensor<5x6xf32> {
  %y = loop.stage layout [i: 5, j: 6] (%a = %x[i, j]) -> [i, j] {
    loop.yield %a : f32
  }
  func.return %y : tensor<5x6xf32>
}
// CHECK: loop.stage row [i: 5, j: 6] (%a = %x[i, j]) -> [i, j]
func.func private @row(%x: tensor<5x6xf32>) -> tensor<5x6xf32> {
  %y = loop.stage row [i: 5, j: 6] (%a = %x[i, j]) -> [i, j] {
    %p = loop.index i : index
    %q = arith.index_cast %p : index to i32
    %r = arith.sitofp %q : i32 to f32
    %s = arith.addf %a, %r : f32
    loop.yield %s : f32
  }
  func.return %y : tensor<5x6xf32>
}
// CHECK: loop.stage left [i: 5, j: 6] (%a = %x[i, j]) -> [i, j]
func.func private @joined(%x: tensor<5x6xf32>) -> tensor<10x6xf32> {
  %l = loop.stage left [i: 5, j: 6] (%a = %x[i, j]) -> [i, j] {
    loop.yield %a : f32
  }
  %r = loop.stage right [i: 5, j: 6] (%a = %x[i, j]) -> [i, j] {
    %n = arith.negf %a : f32
    loop.yield %n : f32
  }
  %y = loop.join (%l at [0, 0], %r at [5, 0]) : tensor<10x6xf32>
  func.return %y : tensor<10x6xf32>
}
