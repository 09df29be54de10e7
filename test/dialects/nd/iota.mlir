// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right() {
  // CHECK: %0 = nd.iota 0 : tensor<5xi64>
  %0 = nd.iota 0 : tensor<5xi64>
  // CHECK: %1 = nd.iota 1 : tensor<2x?xf32, #nd.sym<b>>
  %1 = nd.iota 1 : tensor<2x?xf32, #nd.sym<b>>
  func.return
}

// -----

func.func @wrong() {
  // expected-error@+1 {{expected a dimension from 0 to 0 of tensor<5xi64>, found 1}}
  %0 = nd.iota 1 : tensor<5xi64>
  func.return
}

// -----

func.func @wrong() {
  // expected-error@+1 {{expected a tensor of a number type (f16, bf16, f32, f64, i8 to i64 or ui8 to ui64), found tensor<5xi1>}}
  %0 = nd.iota 0 : tensor<5xi1>
  func.return
}
