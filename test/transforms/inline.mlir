// RUN: not mlc-opt %s --split-input-file -p inline,symbol-dce 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file -p inline,symbol-dce --verify-diagnostics

// Callees first, inside of regions too; private functions go, public ones stay. Effects keep their place.
// CHECK-NOT: @inner
// CHECK-NOT: func.call
func.func private @inner(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.exp %x : tensor<4xf32>
  nd.print "inner {}" %0 : tensor<4xf32>
  func.return %0 : tensor<4xf32>
}
// CHECK: func.func @outer(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
func.func @outer(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  // CHECK-NEXT: %0 = nd.exp %x
  // CHECK-NEXT: nd.print "inner {}" %0
  // CHECK-NEXT: func.return %0, %x
  %0 = func.call @inner(%x) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %0, %x : tensor<4xf32>, tensor<4xf32>
}
// CHECK: func.func @main(%p: tensor<i1>, %y: tensor<4xf32>) -> tensor<4xf32>
func.func @main(%p: tensor<i1>, %y: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-NEXT: %0 = nd.if %p (%a = %y) -> (tensor<4xf32>) {
  // CHECK-NEXT:   %1 = nd.exp %a
  // CHECK-NEXT:   nd.print "inner {}" %1
  // CHECK-NEXT:   nd.yield %a
  %0 = nd.if %p (%a = %y) -> (tensor<4xf32>) {
    %1, %2 = func.call @outer(%a) : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
    nd.yield %2 : tensor<4xf32>
  } else {
    nd.yield %a : tensor<4xf32>
  }
  func.return %0 : tensor<4xf32>
}

// -----

func.func @even(%x: tensor<f32>) -> tensor<f32> {
  %0 = func.call @odd(%x) : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}
func.func @odd(%x: tensor<f32>) -> tensor<f32> {
  // expected-error@+1 {{func.call: expected calls without recursion, found @even -> @odd -> @even}}
  %0 = func.call @even(%x) : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}
