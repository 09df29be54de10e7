// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics
// RUN: not mlc-opt %s --split-input-file -p decompose 2>/dev/null | FileCheck %s --check-prefix=DECOMPOSED

// CHECK-LABEL: @right
// DECOMPOSED-LABEL: @right
func.func @right(%x: tensor<4x5xf32>, %u: tensor<2x5xf32>, %i: tensor<i64>, %j: tensor<i32>) -> tensor<4x5xf32> {
  // CHECK: %0 = nd.dynamic_update_slice %x, %u at %i, %j : (tensor<4x5xf32>, tensor<2x5xf32>, tensor<i64>, tensor<i32>) -> tensor<4x5xf32>
  // DECOMPOSED: nd.scatter set clip %x, %u, %i "a b,  -> @0+a b"
  %0 = nd.dynamic_update_slice %x, %u at %i, %j : (tensor<4x5xf32>, tensor<2x5xf32>, tensor<i64>, tensor<i32>) -> tensor<4x5xf32>
  func.return %0 : tensor<4x5xf32>
}

// -----

func.func @wrong(%x: tensor<4xf32>, %u: tensor<6xf32>, %i: tensor<i64>) {
  // expected-error@+1 {{dimension 0: expected a slice of at most 4, found 6}}
  %0 = nd.dynamic_update_slice %x, %u at %i : (tensor<4xf32>, tensor<6xf32>, tensor<i64>) -> tensor<4xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x5xf32>, %u: tensor<5xf32>, %i: tensor<i64>) {
  // expected-error@+1 {{expected 2 starts, one for each dimension, found 1}}
  %0 = nd.dynamic_update_slice %x, %u at %i : (tensor<4x5xf32>, tensor<5xf32>, tensor<i64>) -> tensor<4x5xf32>
  func.return
}
