// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2x3xf32>, %y: tensor<2x0xf32>, %z: tensor<?xi64, #nd.sym<b>>) {
  // CHECK: %0 = nd.concat %x, %y along [1] : (tensor<2x3xf32>, tensor<2x0xf32>) -> tensor<2x3xf32>
  %0 = nd.concat %x, %y along [1] : (tensor<2x3xf32>, tensor<2x0xf32>) -> tensor<2x3xf32>
  // CHECK: %1 = nd.concat %z, %z along [0] : (tensor<?xi64, #nd.sym<b>>, tensor<?xi64, #nd.sym<b>>) -> tensor<?xi64, #nd.sym<2*b>>
  %1 = nd.concat %z, %z along [0] : (tensor<?xi64, #nd.sym<b>>, tensor<?xi64, #nd.sym<b>>) -> tensor<?xi64, #nd.sym<2*b>>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>, %y: tensor<4x3xf32>) {
  // expected-error@+1 {{operand 1, dimension 0: expected size 2 of "a" in "a *, a * -> a *", found 4}}
  %0 = nd.concat %x, %y along [1] : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x6xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>, %y: tensor<2xf64>) {
  // expected-error@+1 {{expected operands of one element type, found f32 and f64 (operand 1)}}
  %0 = nd.concat %x, %y along [0] : (tensor<2xf32>, tensor<2xf64>) -> tensor<4xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected one dimension from 0 to 0 in `along`, found (1,)}}
  %0 = nd.concat %x along [1] : (tensor<2xf32>) -> tensor<2xf32>
  func.return
}
