// RUN: not mlc-opt %s --split-input-file 2>/dev/null | mlc-opt | FileCheck %s
// RUN: not mlc-opt %s --split-input-file --mlir-print-op-generic 2>/dev/null | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics
// A tensor that is read whole (`[...]`) is read at positions that the body computes.

// CHECK-LABEL: func.func @rows
func.func @rows(%T: tensor<6x8xf32>, %K: tensor<5xi32>) -> tensor<5x8xf32> {
  // CHECK: %r = loop.stage rows [i: 5, j: 8] (%k = %K[i], %t = %T[...]) -> [i, j] {
  %r = loop.stage rows [i: 5, j: 8] (%k = %K[i], %t = %T[...]) -> [i, j] {
    %c5 = arith.constant 5 : i32
    %in = arith.minui %k, %c5 : i32
    %p = arith.index_castui %in : i32 to index
    %c = loop.index j : index
    // CHECK: %v = loop.load %t[%p, %c]
    %v = loop.load %t[%p, %c]
    loop.yield %v : f32
  }
  func.return %r : tensor<5x8xf32>
}

// -----

func.func @wrong(%T: tensor<6x8xf32>) -> tensor<5xf32> {
  %r = loop.stage s [i: 5] (%t = %T[...]) -> [i] {
    %c = loop.index i : index
    // expected-error@+1 {{load: expected 2 positions, one for each dimension, found 1}}
    %v = loop.load %t[%c]
    loop.yield %v : f32
  }
  func.return %r : tensor<5xf32>
}

// -----

func.func @wrong(%T: tensor<6xf32>) -> tensor<5xf32> {
  %r = loop.stage s [i: 5] () -> [i] {
    %c = loop.index i : index
    // expected-error@+1 {{load: expected a tensor that the statement reads whole, found one from elsewhere}}
    %v = loop.load %T[%c]
    loop.yield %v : f32
  }
  func.return %r : tensor<5xf32>
}

// -----

func.func @wrong(%s: tensor<f32>) -> tensor<5xf32> {
  // expected-error@+1 {{stage s: %s: expected a tensor with dimensions and no indices, found tensor<f32>}}
  %r = loop.stage s [i: 5] (%t = %s[...]) -> [i] {
    %v = loop.load %t[]
    loop.yield %v : f32
  }
  func.return %r : tensor<5xf32>
}
