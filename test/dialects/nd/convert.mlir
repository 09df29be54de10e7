// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2xf32>, %y: tensor<?xi1, #nd.sym<b>>) {
  // CHECK: %0 = nd.convert %x to i32 : tensor<2xf32> -> tensor<2xi32>
  %0 = nd.convert %x to i32 : tensor<2xf32> -> tensor<2xi32>
  // CHECK: %1 = nd.convert %y to f64 : tensor<?xi1, #nd.sym<b>> -> tensor<?xf64, #nd.sym<b>>
  %1 = nd.convert %y to f64 : tensor<?xi1, #nd.sym<b>> -> tensor<?xf64, #nd.sym<b>>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected result type tensor<2xf64>, found tensor<2xf32>}}
  %0 = nd.convert %x to f64 : tensor<2xf32> -> tensor<2xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected to convert to i1, a number or complex type (f16, bf16, f32, f64, i8 to i64, ui8 to ui64, complex<f32> or complex<f64>) or a storage type (f8E4M3FN and other f8 types, f4E2M1FN, i4, ui4, i2 or ui2), found i7}}
  %0 = nd.convert %x to i7 : tensor<2xf32> -> tensor<2xi7>
  func.return
}
