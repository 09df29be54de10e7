// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x0: tensor<2x3xf32>, %x1: tensor<?x4xi64, #nd.sym<b>>, %x2: tensor<f32>, %x3: tensor<0xi64>) {
  // CHECK: %0 = nd.neg %x0 : tensor<2x3xf32>
  %0 = nd.neg %x0 : tensor<2x3xf32>
  // CHECK: %1 = nd.neg %x1 : tensor<?x4xi64, #nd.sym<b>>
  %1 = nd.neg %x1 : tensor<?x4xi64, #nd.sym<b>>
  // CHECK: %2 = nd.neg %x2 : tensor<f32>
  %2 = nd.neg %x2 : tensor<f32>
  // CHECK: %3 = nd.neg %x3 : tensor<0xi64>
  %3 = nd.neg %x3 : tensor<0xi64>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xi1>) {
  // expected-error@+1 {{expected elements of a number or complex type (f16, bf16, f32, f64, i8 to i64, ui8 to ui64, complex<f32> or complex<f64>), found tensor<2xi1>; convert it first}}
  %0 = nd.neg %x : tensor<2xi1>
  func.return
}
