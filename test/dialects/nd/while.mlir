// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%n: tensor<i64>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %zero = nd.constant 0 : tensor<i64>
  // CHECK: %i, %y = nd.while (%m = %n, %w = %x) carry (%j = %zero, %z = %x) -> (tensor<i64>, tensor<4xf32>) {
  // CHECK-NEXT: %0 = nd.compare lt %j, %m : tensor<i64> -> tensor<i1>
  // CHECK-NEXT: nd.yield %0 : tensor<i1>
  // CHECK-NEXT: } do {
  // CHECK-NEXT: %1 = nd.constant 1 : tensor<i64>
  // CHECK-NEXT: %2 = nd.add %j, %1 : tensor<i64>
  // CHECK-NEXT: %3 = nd.add %z, %w : tensor<4xf32>
  // CHECK-NEXT: nd.yield %2, %3 : tensor<i64>, tensor<4xf32>
  // CHECK-NEXT: }
  %i, %y = nd.while (%m = %n, %w = %x) carry (%j = %zero, %z = %x) -> (tensor<i64>, tensor<4xf32>) {
    %0 = nd.compare lt %j, %m : tensor<i64> -> tensor<i1>
    nd.yield %0 : tensor<i1>
  } do {
    %0 = nd.constant 1 : tensor<i64>
    %1 = nd.add %j, %0 : tensor<i64>
    %2 = nd.add %z, %w : tensor<4xf32>
    nd.yield %1, %2 : tensor<i64>, tensor<4xf32>
  }
  func.return %y : tensor<4xf32>
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{nd.while: expected what the condition yields to be (tensor<i1>), found tensor<4xf32> as number 0}}
  %y = nd.while carry (%z = %x) -> (tensor<4xf32>) {
    nd.yield %z : tensor<4xf32>
  } do {
    nd.yield %z : tensor<4xf32>
  }
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>, %p: tensor<i1>) {
  // expected-error@+1 {{nd.while: expected what the body yields to be (tensor<4xf32>), found ()}}
  %y = nd.while (%q = %p) carry (%z = %x) -> (tensor<4xf32>) {
    nd.yield %q : tensor<i1>
  } do {
    nd.yield
  }
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>, %p: tensor<i1>) {
  // expected-error@+1 {{nd.while: expected the results to be (tensor<4xf32>), found tensor<5xf32> as number 0}}
  %y = nd.while (%q = %p) carry (%z = %x) -> (tensor<5xf32>) {
    nd.yield %q : tensor<i1>
  } do {
    nd.yield %z : tensor<4xf32>
  }
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>, %p: tensor<i1>) {
  // expected-error@+1 {{nd.while: expected the arguments of region `first` to be (tensor<i1>, tensor<4xf32>), found (tensor<i1>)}}
  %y = "nd.while"(%p, %x) <{operandSegmentSizes = array<i32: 1, 1>}> ({
  ^bb0(%q: tensor<i1>):
    nd.yield %q : tensor<i1>
  }, {
  ^bb0(%q: tensor<i1>, %z: tensor<4xf32>):
    nd.yield %z : tensor<4xf32>
  }) : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32>
  func.return
}
