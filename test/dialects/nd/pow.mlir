// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x0: tensor<2x3xf32>, %y0: tensor<2x3xf32>, %x1: tensor<?x4xf64, #nd.sym<b>>, %y1: tensor<?x4xf64, #nd.sym<b>>, %x2: tensor<f32>, %y2: tensor<f32>, %x3: tensor<0xf64>, %y3: tensor<0xf64>) {
  // CHECK: %0 = nd.pow %x0, %y0 : tensor<2x3xf32>
  %0 = nd.pow %x0, %y0 : tensor<2x3xf32>
  // CHECK: %1 = nd.pow %x1, %y1 : tensor<?x4xf64, #nd.sym<b>>
  %1 = nd.pow %x1, %y1 : tensor<?x4xf64, #nd.sym<b>>
  // CHECK: %2 = nd.pow %x2, %y2 : tensor<f32>
  %2 = nd.pow %x2, %y2 : tensor<f32>
  // CHECK: %3 = nd.pow %x3, %y3 : tensor<0xf64>
  %3 = nd.pow %x3, %y3 : tensor<0xf64>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xi32>, %y: tensor<2xi32>) {
  // expected-error@+1 {{expected elements of a float or complex type (f16, bf16, f32, f64, complex<f32> or complex<f64>), found tensor<2xi32>; convert it first}}
  %0 = nd.pow %x, %y : tensor<2xi32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>, %y: tensor<3xf32>) {
  // expected-error@+1 {{expected operands of one type, found tensor<2xf32> and tensor<3xf32> (operand 1)}}
  %0 = "nd.pow"(%x, %y) : (tensor<2xf32>, tensor<3xf32>) -> tensor<2xf32>
  func.return
}
