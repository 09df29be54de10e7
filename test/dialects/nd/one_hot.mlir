// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<5xi64>, %y: tensor<?xi32, #nd.sym<b>>) {
  // CHECK: %0 = nd.one_hot %x : tensor<5xi64> -> tensor<5x10xf32>
  %0 = nd.one_hot %x : tensor<5xi64> -> tensor<5x10xf32>
  // CHECK: %1 = nd.one_hot %y : tensor<?xi32, #nd.sym<b>> -> tensor<?x4xi1, #nd.sym<b>>
  %1 = nd.one_hot %y : tensor<?xi32, #nd.sym<b>> -> tensor<?x4xi1, #nd.sym<b>>
  func.return
}

// -----

func.func @wrong(%x: tensor<5xi64>) {
  // expected-error@+1 {{expected a result of the labels' shape tensor<5xi64> and one more dimension, found tensor<4x10xf32>}}
  %0 = nd.one_hot %x : tensor<5xi64> -> tensor<4x10xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<5xf32>) {
  // expected-error@+1 {{expected elements of an integer type (i8 to i64 or ui8 to ui64), found tensor<5xf32>; convert it first}}
  %0 = nd.one_hot %x : tensor<5xf32> -> tensor<5x10xf32>
  func.return
}
