// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x0: tensor<2xf32>, %y0: tensor<2xf32>, %x1: tensor<2xf32>, %y1: tensor<2xf32>, %x2: tensor<2xf32>, %y2: tensor<2xf32>, %x3: tensor<2xf32>, %y3: tensor<2xf32>, %x4: tensor<2xf32>, %y4: tensor<2xf32>, %x5: tensor<2xf32>, %y5: tensor<2xf32>, %s: tensor<?xi1, #nd.sym<b>>) {
  // CHECK: %0 = nd.compare eq %x0, %y0 : tensor<2xf32> -> tensor<2xi1>
  %0 = nd.compare eq %x0, %y0 : tensor<2xf32> -> tensor<2xi1>
  // CHECK: %1 = nd.compare ne %x1, %y1 : tensor<2xf32> -> tensor<2xi1>
  %1 = nd.compare ne %x1, %y1 : tensor<2xf32> -> tensor<2xi1>
  // CHECK: %2 = nd.compare lt %x2, %y2 : tensor<2xf32> -> tensor<2xi1>
  %2 = nd.compare lt %x2, %y2 : tensor<2xf32> -> tensor<2xi1>
  // CHECK: %3 = nd.compare le %x3, %y3 : tensor<2xf32> -> tensor<2xi1>
  %3 = nd.compare le %x3, %y3 : tensor<2xf32> -> tensor<2xi1>
  // CHECK: %4 = nd.compare gt %x4, %y4 : tensor<2xf32> -> tensor<2xi1>
  %4 = nd.compare gt %x4, %y4 : tensor<2xf32> -> tensor<2xi1>
  // CHECK: %5 = nd.compare ge %x5, %y5 : tensor<2xf32> -> tensor<2xi1>
  %5 = nd.compare ge %x5, %y5 : tensor<2xf32> -> tensor<2xi1>
  // CHECK: %6 = nd.compare eq %s, %s : tensor<?xi1, #nd.sym<b>> -> tensor<?xi1, #nd.sym<b>>
  %6 = nd.compare eq %s, %s : tensor<?xi1, #nd.sym<b>> -> tensor<?xi1, #nd.sym<b>>
  func.return
}

// -----

func.func @wrong(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected result type tensor<2xi1>, found tensor<2xf32>}}
  %0 = nd.compare lt %x, %x : tensor<2xf32> -> tensor<2xf32>
  func.return
}
