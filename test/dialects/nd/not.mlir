// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x0: tensor<2x3xi1>, %x1: tensor<?x4xi64, #nd.sym<b>>, %x2: tensor<i1>, %x3: tensor<0xi64>) {
  // CHECK: %0 = nd.not %x0 : tensor<2x3xi1>
  %0 = nd.not %x0 : tensor<2x3xi1>
  // CHECK: %1 = nd.not %x1 : tensor<?x4xi64, #nd.sym<b>>
  %1 = nd.not %x1 : tensor<?x4xi64, #nd.sym<b>>
  // CHECK: %2 = nd.not %x2 : tensor<i1>
  %2 = nd.not %x2 : tensor<i1>
  // CHECK: %3 = nd.not %x3 : tensor<0xi64>
  %3 = nd.not %x3 : tensor<0xi64>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected elements of i1 or an integer type (i8 to i64 or ui8 to ui64), found tensor<2xf32>; convert it first}}
  %0 = nd.not %x : tensor<2xf32>
  func.return
}
