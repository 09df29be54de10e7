// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<4xf32>, %y: tensor<?xi64, #nd.sym<n>>) {
  // CHECK: %r, %r_1 = nd.checkpoint saves dots (%a = %x, %b = %y) -> (tensor<4xf32>, tensor<?xi64, #nd.sym<n>>) {
  // CHECK-NEXT: %0 = nd.exp %a : tensor<4xf32>
  // CHECK-NEXT: nd.yield %0, %b : tensor<4xf32>, tensor<?xi64, #nd.sym<n>>
  // CHECK-NEXT: }
  %r:2 = nd.checkpoint saves dots (%a = %x, %b = %y) -> (tensor<4xf32>, tensor<?xi64, #nd.sym<n>>) {
    %0 = nd.exp %a : tensor<4xf32>
    nd.yield %0, %b : tensor<4xf32>, tensor<?xi64, #nd.sym<n>>
  }
  // CHECK: nd.checkpoint saves ["a", "b"] -> () {
  // CHECK-NEXT: nd.yield
  nd.checkpoint saves ["a", "b"] -> () {
    nd.yield
  }
  // CHECK: nd.checkpoint saves 4096 : i64 -> () {
  nd.checkpoint saves 4096 : i64 -> () {
    nd.yield
  }
  func.return
}

// -----

func.func @wrong() {
  // expected-error@+1 {{nd.checkpoint: expected nothing, everything, dots, dots_with_no_batch_dims, names or bytes, found -1 : i64}}
  nd.checkpoint saves -1 : i64 -> () {
    nd.yield
  }
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{nd.checkpoint: expected what the region yields to be (tensor<3xf32>), found tensor<4xf32> as number 0}}
  %r = nd.checkpoint saves nothing (%a = %x) -> (tensor<3xf32>) {
    nd.yield %a : tensor<4xf32>
  }
  func.return
}

// -----

func.func @wrong() {
  // expected-error@+1 {{expected nothing, everything, dots, dots_with_no_batch_dims, a list of names or bytes, found all}}
  nd.checkpoint saves all -> () {
    nd.yield
  }
  func.return
}
