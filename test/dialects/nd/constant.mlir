// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right() {
  // CHECK: %0 = nd.constant 1.0 : tensor<4x8xf32>
  %0 = nd.constant 1.0 : tensor<4x8xf32>
  // CHECK: %1 = nd.constant -0.0 : tensor<?xf64, #nd.sym<b>>
  %1 = nd.constant -0.0 : tensor<?xf64, #nd.sym<b>>
  // CHECK: %2 = nd.constant nan : tensor<2xf32>
  %2 = nd.constant nan : tensor<2xf32>
  // CHECK: %3 = nd.constant -inf : tensor<f64>
  %3 = nd.constant -inf : tensor<f64>
  // CHECK: %4 = nd.constant 0.1 : tensor<f32>
  %4 = nd.constant 0.1 : tensor<f32>
  // CHECK: %5 = nd.constant 0.1 : tensor<f64>
  %5 = nd.constant 0.1 : tensor<f64>
  // CHECK: %6 = nd.constant 1.0e-30 : tensor<f32>
  %6 = nd.constant 1.0e-30 : tensor<f32>
  // CHECK: %7 = nd.constant true : tensor<3xi1>
  %7 = nd.constant true : tensor<3xi1>
  // CHECK: %8 = nd.constant -9223372036854775808 : tensor<i64>
  %8 = nd.constant -9223372036854775808 : tensor<i64>
  // CHECK: %9 = nd.constant [[1, 2], [3, 4]] : tensor<2x2xi32>
  %9 = nd.constant [[1, 2], [3, 4]] : tensor<2x2xi32>
  // CHECK: %10 = nd.constant [nan, -inf, -0.0, 1.5] : tensor<4xf32>
  %10 = nd.constant [nan, -inf, -0.0, 1.5] : tensor<4xf32>
  // CHECK: %11 = nd.constant [true, false] : tensor<2xi1>
  %11 = nd.constant [true, false] : tensor<2xi1>
  // CHECK: %12 = nd.constant [] : tensor<0xf32>
  %12 = nd.constant [] : tensor<0xf32>
  // CHECK: %13 = nd.constant "0x0000C07F0100C07F" : tensor<2xf32>
  %13 = nd.constant "0x0000C07F0100C07F" : tensor<2xf32>
  func.return
}

// -----

func.func @wrong() {
  // expected-error@+1 {{expected data of shape [3], found [2]}}
  %0 = nd.constant [1, 2] : tensor<3xi32>
  func.return
}

// -----

func.func @wrong() {
  // expected-error@+1 {{expected an integer for int32, found 1.5}}
  %0 = nd.constant 1.5 : tensor<3xi32>
  func.return
}

// -----

func.func @wrong() {
  // expected-error@+1 {{expected an integer of int32, found 3000000000, which is out of its range}}
  %0 = nd.constant 3000000000 : tensor<i32>
  func.return
}

// -----

func.func @wrong() {
  // expected-error@+1 {{expected one value for the symbolic shape of}}
  %0 = nd.constant [1.0, 2.0] : tensor<?xf32, #nd.sym<b>>
  func.return
}

// -----

func.func @wrong() {
  // expected-error@+1 {{expected 8 bytes for tensor<2xf32>, found 1}}
  %0 = nd.constant "0x00" : tensor<2xf32>
  func.return
}
