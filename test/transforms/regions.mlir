// RUN: mlc-opt %s -p cse | FileCheck %s --check-prefix=CSE
// RUN: mlc-opt %s -p dce | FileCheck %s --check-prefix=DCE
// RUN: mlc-opt %s -p fold-constants | FileCheck %s --check-prefix=FOLD
// RUN: mlc-opt %s -p decompose | FileCheck %s --check-prefix=PARTS
// RUN: mlc-opt %s -p apply-rules | FileCheck %s --check-prefix=RULES

// Equal ops in one region, not across regions; effects stay, all of them, in their order.
// CSE-LABEL: @merge
// CSE-NEXT: %[[A:.*]] = nd.exp %x
// CSE-NEXT: nd.print "{}" %[[A]]
// CSE-NEXT: nd.print "{}" %[[A]]
// CSE-NEXT: nd.if %p (%a = %x) -> (tensor<4xf32>) {
// CSE-NEXT:   %[[B:.*]] = nd.exp %a
// CSE-NEXT:   nd.print "{}" %[[B]]
// CSE-NEXT:   %[[C:.*]] = nd.mul %[[B]], %[[B]]
// CSE-NEXT:   nd.print "{}" %[[B]]
// CSE-NEXT:   nd.yield %[[C]]
// CSE-NEXT: } else {
// CSE-NEXT:   %[[D:.*]] = nd.exp %a
// CSE-NEXT:   nd.yield %[[D]]
func.func @merge(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.exp %x : tensor<4xf32>
  nd.print "{}" %0 : tensor<4xf32>
  %1 = nd.exp %x : tensor<4xf32>
  nd.print "{}" %1 : tensor<4xf32>
  %r = nd.if %p (%a = %x) -> (tensor<4xf32>) {
    %2 = nd.exp %a : tensor<4xf32>
    nd.print "{}" %2 : tensor<4xf32>
    %3 = nd.exp %a : tensor<4xf32>
    %4 = nd.mul %2, %3 : tensor<4xf32>
    nd.print "{}" %3 : tensor<4xf32>
    nd.yield %4 : tensor<4xf32>
  } else {
    %2 = nd.exp %a : tensor<4xf32>
    nd.yield %2 : tensor<4xf32>
  }
  func.return %r : tensor<4xf32>
}

// A loop that nobody reads goes; one with an effect stays, without what only its results needed.
// DCE-LABEL: @dead
// DCE-NEXT: nd.scan 4 (%v = %w) carry (%c = %x) -> (tensor<4xf32>) {
// DCE-NEXT:   nd.print "{}" %c
// DCE-NEXT:   %[[C:.*]] = nd.mul %c, %v
// DCE-NEXT:   nd.yield %[[C]] : tensor<4xf32>
// DCE-NEXT: }
// DCE-NEXT: func.return
func.func @dead(%x: tensor<4xf32>, %w: tensor<4xf32>, %xs: tensor<4x4xf32>) {
  %s = nd.scan 4 each (%a = %xs) -> (tensor<4x4xf32>) {
    %0 = nd.exp %a : tensor<4xf32>
    nd.yield %0 : tensor<4xf32>
  }
  %r:3 = nd.scan 4 (%v = %w) carry (%c = %x, %d = %x) each (%a = %xs) -> (tensor<4xf32>, tensor<4xf32>, tensor<4x4xf32>) {
    nd.print "{}" %c : tensor<4xf32>
    %0 = nd.mul %c, %v : tensor<4xf32>
    %1 = nd.mul %d, %a : tensor<4xf32>
    nd.yield %0, %1, %1 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
  }
  func.return
}

// FOLD-LABEL: @inside
// FOLD: nd.while
// FOLD: %[[P:.*]] = nd.constant true
// FOLD: nd.check %[[P]] "two"
// FOLD: %[[K:.*]] = nd.constant 3 : tensor<i64>
// FOLD: nd.add %i, %[[K]]
// PARTS-LABEL: @inside
// PARTS-NOT: nd.relu
// PARTS: nd.max
func.func @inside(%n: tensor<i64>, %x: tensor<f32>) -> (tensor<i64>, tensor<f32>) {
  %r:2 = nd.while (%m = %n) carry (%i = %n, %c = %x) -> (tensor<i64>, tensor<f32>) {
    %0 = nd.compare lt %i, %m : tensor<i64> -> tensor<i1>
    nd.yield %0 : tensor<i1>
  } do {
    %0 = nd.constant 1 : tensor<i64>
    %1 = nd.constant 2 : tensor<i64>
    %2 = nd.compare lt %0, %1 : tensor<i64> -> tensor<i1>
    nd.check %2 "two" : tensor<i1>
    %3 = nd.add %0, %1 : tensor<i64>
    %4 = nd.add %i, %3 : tensor<i64>
    %one = nd.constant 1.0 : tensor<f32>
    %5 = nd.relu %c : tensor<f32>
    %6 = nd.mul %5, %one : tensor<f32>
    nd.yield %4, %6 : tensor<i64>, tensor<f32>
  }
  func.return %r#0, %r#1 : tensor<i64>, tensor<f32>
}

// RULES-LABEL: @products
// RULES: nd.scan 4
// RULES-NEXT: nd.concat %a, %b, %c along [1]
func.func @products(%xs: tensor<4x2x8xf32>, %q: tensor<8x4xf32>, %k: tensor<8x4xf32>, %v: tensor<8x3xf32>) -> (tensor<4x2x4xf32>, tensor<4x2x4xf32>, tensor<4x2x3xf32>) {
  %r:3 = nd.scan 4 (%a = %q, %b = %k, %c = %v) each (%x = %xs) -> (tensor<4x2x4xf32>, tensor<4x2x4xf32>, tensor<4x2x3xf32>) {
    %0 = nd.contract %x, %a "a b, b c -> a c" : (tensor<2x8xf32>, tensor<8x4xf32>) -> tensor<2x4xf32>
    %1 = nd.contract %x, %b "a b, b c -> a c" : (tensor<2x8xf32>, tensor<8x4xf32>) -> tensor<2x4xf32>
    %2 = nd.contract %x, %c "a b, b c -> a c" : (tensor<2x8xf32>, tensor<8x3xf32>) -> tensor<2x3xf32>
    nd.yield %0, %1, %2 : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x3xf32>
  }
  func.return %r#0, %r#1, %r#2 : tensor<4x2x4xf32>, tensor<4x2x4xf32>, tensor<4x2x3xf32>
}

// Equal loops are one, unless they have effects or their regions differ.
// CSE-LABEL: @loops
// CSE-NEXT: %[[R:.*]] = nd.scan 4
// CSE: %[[S:.*]] = nd.scan 4
// CSE: nd.mul
// CSE: nd.print
// CSE: nd.print
// CSE: func.return %[[R]], %[[R]], %[[S]]
func.func @loops(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %r = nd.scan 4 carry (%a = %x) -> (tensor<4xf32>) {
    %0 = nd.add %a, %a : tensor<4xf32>
    nd.yield %0 : tensor<4xf32>
  }
  %s = nd.scan 4 carry (%b = %x) -> (tensor<4xf32>) {
    %0 = nd.add %b, %b : tensor<4xf32>
    nd.yield %0 : tensor<4xf32>
  }
  %t = nd.scan 4 carry (%b = %x) -> (tensor<4xf32>) {
    %0 = nd.mul %b, %b : tensor<4xf32>
    nd.yield %0 : tensor<4xf32>
  }
  nd.scan 4 -> () {
    nd.print "once"
    nd.yield
  }
  nd.scan 4 -> () {
    nd.print "once"
    nd.yield
  }
  func.return %r, %s, %t : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
