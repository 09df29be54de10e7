// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x0: tensor<2x3xi32>, %y0: tensor<2x3xi32>, %x1: tensor<?x4xi64, #nd.sym<b>>, %y1: tensor<?x4xi64, #nd.sym<b>>, %x2: tensor<i32>, %y2: tensor<i32>, %x3: tensor<0xi64>, %y3: tensor<0xi64>) {
  // CHECK: %0 = nd.shl %x0, %y0 : tensor<2x3xi32>
  %0 = nd.shl %x0, %y0 : tensor<2x3xi32>
  // CHECK: %1 = nd.shl %x1, %y1 : tensor<?x4xi64, #nd.sym<b>>
  %1 = nd.shl %x1, %y1 : tensor<?x4xi64, #nd.sym<b>>
  // CHECK: %2 = nd.shl %x2, %y2 : tensor<i32>
  %2 = nd.shl %x2, %y2 : tensor<i32>
  // CHECK: %3 = nd.shl %x3, %y3 : tensor<0xi64>
  %3 = nd.shl %x3, %y3 : tensor<0xi64>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>, %y: tensor<2xf32>) {
  // expected-error@+1 {{found tensor<2xf32>; convert it first}}
  %0 = nd.shl %x, %y : tensor<2xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xi32>, %y: tensor<3xi32>) {
  // expected-error@+1 {{expected operands of one type, found tensor<2xi32> and tensor<3xi32> (operand 1)}}
  %0 = "nd.shl"(%x, %y) : (tensor<2xi32>, tensor<3xi32>) -> tensor<2xi32>
  func.return
}
