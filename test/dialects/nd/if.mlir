// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%p: tensor<i1>, %x: tensor<4xf32>, %y: tensor<?xi64, #nd.sym<n>>) {
  // CHECK: %r, %r_1 = nd.if %p (%a = %x, %b = %y) -> (tensor<4xf32>, tensor<?xi64, #nd.sym<n>>) {
  // CHECK-NEXT: %0 = nd.exp %a : tensor<4xf32>
  // CHECK-NEXT: nd.yield %0, %b : tensor<4xf32>, tensor<?xi64, #nd.sym<n>>
  // CHECK-NEXT: } else {
  // CHECK-NEXT: nd.yield %a, %b : tensor<4xf32>, tensor<?xi64, #nd.sym<n>>
  // CHECK-NEXT: }
  %r:2 = nd.if %p (%a = %x, %b = %y) -> (tensor<4xf32>, tensor<?xi64, #nd.sym<n>>) {
    %0 = nd.exp %a : tensor<4xf32>
    nd.yield %0, %b : tensor<4xf32>, tensor<?xi64, #nd.sym<n>>
  } else {
    nd.yield %a, %b : tensor<4xf32>, tensor<?xi64, #nd.sym<n>>
  }
  // CHECK: nd.if %p -> () {
  // CHECK-NEXT: nd.yield
  // CHECK-NEXT: } else {
  // CHECK-NEXT: nd.yield
  nd.if %p -> () {
    nd.yield
  } else {
    nd.yield
  }
  func.return
}

// -----

func.func @wrong(%p: tensor<4xi1>) {
  // expected-error@+1 {{nd.if: expected a predicate of type tensor<i1>, found tensor<4xi1>}}
  nd.if %p -> () {
    nd.yield
  } else {
    nd.yield
  }
  func.return
}

// -----

func.func @wrong(%p: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error@+1 {{nd.if: expected what region `else` yields to be (tensor<4xf32>), found tensor<4xi1> as number 0}}
  %r = nd.if %p (%a = %x) -> (tensor<4xf32>) {
    nd.yield %a : tensor<4xf32>
  } else {
    %0 = nd.compare lt %a, %a : tensor<4xf32> -> tensor<4xi1>
    nd.yield %0 : tensor<4xi1>
  }
  func.return
}

// -----

func.func @wrong(%p: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error@+1 {{nd.if: expected what region `first` yields to be (tensor<4xf32>), found ()}}
  %r = nd.if %p (%a = %x) -> (tensor<4xf32>) {
    nd.yield
  } else {
    nd.yield %a : tensor<4xf32>
  }
  func.return
}

// -----

func.func @wrong(%p: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error@+1 {{nd.if: expected the arguments of region `else` to be (tensor<4xf32>), found tensor<5xf32> as number 0}}
  %r = "nd.if"(%p, %x) ({
  ^bb0(%a: tensor<4xf32>):
    nd.yield %a : tensor<4xf32>
  }, {
  ^bb0(%a: tensor<5xf32>):
    %c = nd.constant 0.0 : tensor<4xf32>
    nd.yield %c : tensor<4xf32>
  }) : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// -----

// Regions are closed.
func.func @wrong(%p: tensor<i1>, %x: tensor<4xf32>) {
  %r = nd.if %p -> (tensor<4xf32>) {
    // expected-error@+1 {{nd.exp: expected operands that are defined before their use, found %x}}
    %0 = nd.exp %x : tensor<4xf32>
    nd.yield %0 : tensor<4xf32>
  } else {
    %0 = nd.constant 0.0 : tensor<4xf32>
    nd.yield %0 : tensor<4xf32>
  }
  func.return
}

// -----

func.func @wrong(%p: tensor<i1>) {
  // expected-error@+1 {{nd.if: expected a terminator at the end of its block, found an empty block}}
  nd.if %p -> () {
  } else {
    nd.yield
  }
  func.return
}
