// RUN: not mlc-opt %s --split-input-file 2>/dev/null | mlc-opt | FileCheck %s
// RUN: not mlc-opt %s --split-input-file --mlir-print-op-generic 2>/dev/null | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics
// Updates one after the other at computed places, if a last value (i1) holds.

// CHECK-LABEL: func.func @add
func.func @add(%x: tensor<6x8xf32>, %U: tensor<5x8xf32>, %K: tensor<5xi32>) -> tensor<6x8xf32> {
  // CHECK: %r = loop.scatter add rows [i: 5, j: 8] (%k = %K[i], %u = %U[i, j]) into %x {
  %r = loop.scatter add rows [i: 5, j: 8] (%k = %K[i], %u = %U[i, j]) into %x {
    %c5 = arith.constant 5 : i32
    %ok = arith.cmpi ule, %k, %c5 : i32
    %p = arith.index_castui %k : i32 to index
    %c = loop.index j : index
    // CHECK: loop.yield %u, %p, %c, %ok : f32, index, index, i1
    loop.yield %u, %p, %c, %ok : f32, index, index, i1
  }
  func.return %r : tensor<6x8xf32>
}

// -----

func.func @wrong(%x: tensor<6x8xf32>, %U: tensor<5xf32>) -> tensor<6x8xf32> {
  // expected-error@+1 {{scatter s: expected a value and its positions (f32, index, index; and i1), found f32, index}}
  %r = loop.scatter add s [i: 5] (%u = %U[i]) into %x {
    %c = loop.index i : index
    loop.yield %u, %c : f32, index
  }
  func.return %r : tensor<6x8xf32>
}

// -----

func.func @wrong(%x: tensor<6xf32>, %U: tensor<5xf32>) -> tensor<6xf32> {
  // expected-error@+1 {{scatter s: expected a type that and combines, found f32}}
  %r = loop.scatter and s [i: 5] (%u = %U[i]) into %x {
    %c = loop.index i : index
    loop.yield %u, %c : f32, index
  }
  func.return %r : tensor<6xf32>
}

// -----

func.func @wrong(%x: tensor<6xf32>, %U: tensor<5xf32>) -> tensor<6xf32> {
  // expected-error@+1 {{expected one of set, add, mul, max, min, maxnan, minnan, maxnum, minnum, umax, umin, and, or, found sum}}
  %r = loop.scatter sum s [i: 5] (%u = %U[i]) into %x {
    %c = loop.index i : index
    loop.yield %u, %c : f32, index
  }
  func.return %r : tensor<6xf32>
}
