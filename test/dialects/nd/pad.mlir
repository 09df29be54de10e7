// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2x3xf32>, %v: tensor<f32>, %y: tensor<?xi1, #nd.sym<b>>, %w: tensor<i1>) {
  // CHECK: %0 = nd.pad %x, %v low [1, 0] high [0, 2] interior [0, 1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<3x7xf32>
  %0 = nd.pad %x, %v low [1, 0] high [0, 2] interior [0, 1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<3x7xf32>
  // CHECK: %1 = nd.pad %y, %w low [1] high [b] interior [0] : (tensor<?xi1, #nd.sym<b>>, tensor<i1>) -> tensor<?xi1, #nd.sym<2*b + 1>>
  %1 = nd.pad %y, %w low [1] high [b] interior [0] : (tensor<?xi1, #nd.sym<b>>, tensor<i1>) -> tensor<?xi1, #nd.sym<2*b + 1>>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>, %v: tensor<f32>) {
  // expected-error@+1 {{expected result type tensor<3xf32>, found tensor<2xf32>}}
  %0 = nd.pad %x, %v low [1] high [0] interior [0] : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>, %v: tensor<f32>) {
  // expected-error@+1 {{dimension 0: expected `low` of at least 0, found -1; use nd.slice to cut}}
  %0 = nd.pad %x, %v low [-1] high [0] interior [0] : (tensor<2xf32>, tensor<f32>) -> tensor<1xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected a padding value of rank 0, found tensor<2xf32>}}
  %0 = nd.pad %x, %x low [1] high [0] interior [0] : (tensor<2xf32>, tensor<2xf32>) -> tensor<3xf32>
  func.return
}
