// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x0: tensor<2x3xf32>, %y0: tensor<2x3xf32>, %x1: tensor<?x4xi64, #nd.sym<b>>, %y1: tensor<?x4xi64, #nd.sym<b>>, %x2: tensor<f32>, %y2: tensor<f32>, %x3: tensor<0xi64>, %y3: tensor<0xi64>) {
  // CHECK: %0 = nd.div %x0, %y0 : tensor<2x3xf32>
  %0 = nd.div %x0, %y0 : tensor<2x3xf32>
  // CHECK: %1 = nd.div %x1, %y1 : tensor<?x4xi64, #nd.sym<b>>
  %1 = nd.div %x1, %y1 : tensor<?x4xi64, #nd.sym<b>>
  // CHECK: %2 = nd.div %x2, %y2 : tensor<f32>
  %2 = nd.div %x2, %y2 : tensor<f32>
  // CHECK: %3 = nd.div %x3, %y3 : tensor<0xi64>
  %3 = nd.div %x3, %y3 : tensor<0xi64>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xi1>, %y: tensor<2xi1>) {
  // expected-error@+1 {{expected elements of a number or complex type (f16, bf16, f32, f64, i8 to i64, ui8 to ui64, complex<f32> or complex<f64>), found tensor<2xi1>; convert it first}}
  %0 = nd.div %x, %y : tensor<2xi1>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>, %y: tensor<3xf32>) {
  // expected-error@+1 {{expected operands of one type, found tensor<2xf32> and tensor<3xf32> (operand 1)}}
  %0 = "nd.div"(%x, %y) : (tensor<2xf32>, tensor<3xf32>) -> tensor<2xf32>
  func.return
}
