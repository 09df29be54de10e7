// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics
// RUN: not mlc-opt %s --split-input-file -p decompose 2>/dev/null | FileCheck %s --check-prefix=DECOMPOSED

// CHECK-LABEL: @right
// DECOMPOSED-LABEL: @right
func.func @right(%x: tensor<4x5xf32>, %i: tensor<i64>, %j: tensor<i32>) -> (tensor<2x5xf32>, tensor<3x2xf32>) {
  // CHECK: %0 = nd.dynamic_slice %x at %i, %j to tensor<2x5xf32> : (tensor<4x5xf32>, tensor<i64>, tensor<i32>) -> tensor<2x5xf32>
  // DECOMPOSED: nd.gather clip %x, %i "@0+a b,  -> a b" to tensor<2x5xf32>
  %0 = nd.dynamic_slice %x at %i, %j to tensor<2x5xf32> : (tensor<4x5xf32>, tensor<i64>, tensor<i32>) -> tensor<2x5xf32>
  // DECOMPOSED: nd.gather clip %x, %i, %j "@0+a @1+b, ,  -> a b" to tensor<3x2xf32>
  %1 = nd.dynamic_slice %x at %i, %j to tensor<3x2xf32> : (tensor<4x5xf32>, tensor<i64>, tensor<i32>) -> tensor<3x2xf32>
  func.return %0, %1 : tensor<2x5xf32>, tensor<3x2xf32>
}

// -----

func.func @wrong(%x: tensor<4x5xf32>, %i: tensor<i64>) {
  // expected-error@+1 {{expected 2 starts, one for each dimension, found 1}}
  %0 = nd.dynamic_slice %x at %i to tensor<2x5xf32> : (tensor<4x5xf32>, tensor<i64>) -> tensor<2x5xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>, %i: tensor<1xi64>) {
  // expected-error@+1 {{expected starts that are integers of rank 0, found tensor<1xi64> (start 0)}}
  %0 = nd.dynamic_slice %x at %i to tensor<2xf32> : (tensor<4xf32>, tensor<1xi64>) -> tensor<2xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>, %i: tensor<i64>) {
  // expected-error@+1 {{dimension 0: expected a slice of at most 4, found 6}}
  %0 = nd.dynamic_slice %x at %i to tensor<6xf32> : (tensor<4xf32>, tensor<i64>) -> tensor<6xf32>
  func.return
}
