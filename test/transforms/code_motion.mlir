// RUN: mlc-opt %s -p canonicalize | FileCheck %s

// A loop of invariants in a loop is computed before, and read; what it reads moves with it.
// CHECK-LABEL: @nested
// CHECK-NEXT: %[[T:.*]] = nd.tanh %w
// CHECK-NEXT: %[[I:.*]] = nd.scan 4 (%{{.*}} = %[[T]]) carry
// CHECK:      nd.scan 8 (%{{.*}} = %[[I]]) carry
// CHECK-NOT:  nd.scan
func.func @nested(%w: tensor<4xf32>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %r = nd.scan 8 (%v = %w) carry (%c = %x) -> (tensor<4xf32>) {
    %0 = nd.tanh %v : tensor<4xf32>
    %1 = nd.scan 4 (%u = %0) carry (%d = %v) -> (tensor<4xf32>) {
      %2 = nd.mul %d, %u : tensor<4xf32>
      nd.yield %2 : tensor<4xf32>
    }
    %3 = nd.sub %c, %1 : tensor<4xf32>
    nd.yield %3 : tensor<4xf32>
  }
  func.return %r : tensor<4xf32>
}

// The body of a while may not run: a loop in it stays, a single op moves. The condition runs: what it computes moves.
// CHECK-LABEL: @while_loop
// CHECK-NEXT: %[[S:.*]] = nd.reduce sum %w "a -> "
// CHECK-NEXT: %[[T:.*]] = nd.tanh %w
// CHECK-NEXT: nd.while (%{{.*}} = %w, %{{.*}} = %[[S]], %{{.*}} = %[[T]]) carry
// CHECK:      nd.compare lt
// CHECK:      nd.scan 4
// CHECK-NOT:  nd.tanh
func.func @while_loop(%w: tensor<4xf32>, %x: tensor<f32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %r, %t = nd.while (%v = %w) carry (%c = %x, %d = %y) -> (tensor<f32>, tensor<4xf32>) {
    %0 = nd.reduce sum %v "a -> " : (tensor<4xf32>) -> tensor<f32>
    %1 = nd.compare lt %c, %0 : tensor<f32> -> tensor<i1>
    nd.yield %1 : tensor<i1>
  } do {
    %0 = nd.tanh %v : tensor<4xf32>
    %1 = nd.scan 4 (%u = %v) carry (%e = %v) -> (tensor<4xf32>) {
      %2 = nd.mul %e, %u : tensor<4xf32>
      nd.yield %2 : tensor<4xf32>
    }
    %3 = nd.add %0, %1 : tensor<4xf32>
    %4 = nd.mul %d, %3 : tensor<4xf32>
    %5 = nd.add %c, %c : tensor<f32>
    nd.yield %5, %4 : tensor<f32>, tensor<4xf32>
  }
  func.return %t : tensor<4xf32>
}

// An effect stays in its trip, and so does a value of more elements than what it is made of.
// CHECK-LABEL: @stays
// CHECK-NEXT: nd.scan 3
// CHECK:      nd.print
// CHECK:      nd.contract %{{.*}}, %{{.*}} "a, b -> a b"
func.func @stays(%w: tensor<4xf32>, %x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %r = nd.scan 3 (%v = %w) carry (%c = %x) -> (tensor<4x4xf32>) {
    nd.print "w {}" %v : tensor<4xf32>
    %0 = nd.contract %v, %v "a, b -> a b" : (tensor<4xf32>, tensor<4xf32>) -> tensor<4x4xf32>
    %1 = nd.mul %c, %0 : tensor<4x4xf32>
    nd.yield %1 : tensor<4x4xf32>
  }
  func.return %r : tensor<4x4xf32>
}

// Both branches compute one product, also of symbolic sizes: it is computed before. Elementwise ops stay.
// CHECK-LABEL: @branches
// CHECK-NEXT: %[[M:.*]] = nd.contract %x, %w
// CHECK-NEXT: nd.if %p (%[[N:.*]] = %[[M]])
// CHECK-NEXT:   nd.tanh %[[N]]
// CHECK:        nd.tanh %[[N]]
func.func @branches(%p: tensor<i1>, %x: tensor<?x4xf32, #nd.sym<n>>, %w: tensor<4x4xf32>) -> tensor<?x4xf32, #nd.sym<n>> {
  %r = nd.if %p (%y = %x, %v = %w) -> (tensor<?x4xf32, #nd.sym<n>>) {
    %0 = nd.contract %y, %v "a b, b c -> a c" : (tensor<?x4xf32, #nd.sym<n>>, tensor<4x4xf32>) -> tensor<?x4xf32, #nd.sym<n>>
    %1 = nd.tanh %0 : tensor<?x4xf32, #nd.sym<n>>
    nd.yield %1 : tensor<?x4xf32, #nd.sym<n>>
  } else {
    %0 = nd.contract %y, %v "a b, b c -> a c" : (tensor<?x4xf32, #nd.sym<n>>, tensor<4x4xf32>) -> tensor<?x4xf32, #nd.sym<n>>
    %1 = nd.tanh %0 : tensor<?x4xf32, #nd.sym<n>>
    %2 = nd.neg %1 : tensor<?x4xf32, #nd.sym<n>>
    nd.yield %2 : tensor<?x4xf32, #nd.sym<n>>
  }
  func.return %r : tensor<?x4xf32, #nd.sym<n>>
}

// One branch computes what was computed before.
// CHECK-LABEL: @before
// CHECK-NEXT: %[[M:.*]] = nd.contract %x, %w
// CHECK-NEXT: %[[R:.*]] = nd.if %p (%{{.*}} = %x, %[[N:.*]] = %[[M]])
// CHECK-NEXT:   nd.yield %[[N]]
// CHECK:      func.return %[[M]], %[[R]]
func.func @before(%p: tensor<i1>, %x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %m = nd.contract %x, %w "a b, b c -> a c" : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %r = nd.if %p (%y = %x, %v = %w) -> (tensor<4x4xf32>) {
    %0 = nd.contract %y, %v "a b, b c -> a c" : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    nd.yield %0 : tensor<4x4xf32>
  } else {
    nd.yield %y : tensor<4x4xf32>
  }
  func.return %m, %r : tensor<4x4xf32>, tensor<4x4xf32>
}

// What one branch computes is not computed where the other is taken.
// CHECK-LABEL: @one_branch
// CHECK-NEXT: nd.if
// CHECK-NEXT:   nd.contract
func.func @one_branch(%p: tensor<i1>, %x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %r = nd.if %p (%y = %x, %v = %w) -> (tensor<4x4xf32>) {
    %0 = nd.contract %y, %v "a b, b c -> a c" : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    nd.yield %0 : tensor<4x4xf32>
  } else {
    nd.yield %y : tensor<4x4xf32>
  }
  func.return %r : tensor<4x4xf32>
}
