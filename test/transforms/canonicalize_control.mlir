// RUN: mlc-opt %s -p canonicalize | FileCheck %s

// The branch of a known predicate, with its effects.
// CHECK-LABEL: @known
// CHECK-NEXT: nd.print "then"
// CHECK-NEXT: %r = nd.exp %x
// CHECK-NEXT: func.return %r
func.func @known(%x: tensor<4xf32>) -> tensor<4xf32> {
  %p = nd.constant true : tensor<i1>
  %r = nd.if %p (%a = %x) -> (tensor<4xf32>) {
    nd.print "then"
    %0 = nd.exp %a : tensor<4xf32>
    nd.yield %0 : tensor<4xf32>
  } else {
    nd.print "else"
    nd.yield %a : tensor<4xf32>
  }
  func.return %r : tensor<4xf32>
}

// Equal branches are one; their effect happens once.
// CHECK-LABEL: @equal
// CHECK-NEXT: nd.print "both"
// CHECK-NEXT: %r = nd.exp %x
// CHECK-NEXT: func.return %r
func.func @equal(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %r = nd.if %p (%a = %x) -> (tensor<4xf32>) {
    nd.print "both"
    %0 = nd.exp %a : tensor<4xf32>
    nd.yield %0 : tensor<4xf32>
  } else {
    nd.print "both"
    %0 = nd.exp %a : tensor<4xf32>
    nd.yield %0 : tensor<4xf32>
  }
  func.return %r : tensor<4xf32>
}

// A predicate is known in its branches; equal results come out; unread results and operands go.
// CHECK-LABEL: @inside
// CHECK-NEXT: %[[C:.*]] = nd.constant 2.0
// CHECK-NEXT: %[[R:.*]] = nd.if %p (%a = %x) -> (tensor<4xf32>) {
// CHECK-NEXT:   %[[E:.*]] = nd.exp %a
// CHECK-NEXT:   nd.yield %[[E]]
// CHECK-NEXT: } else {
// CHECK-NEXT:   nd.yield %a
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[R]], %x, %[[C]]
func.func @inside(%p: tensor<i1>, %x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<f32>) {
  %r:4 = nd.if %p (%q = %p, %a = %x, %b = %y) -> (tensor<4xf32>, tensor<4xf32>, tensor<f32>, tensor<4xf32>) {
    %0 = nd.if %q (%c = %a) -> (tensor<4xf32>) {
      %1 = nd.exp %c : tensor<4xf32>
      nd.yield %1 : tensor<4xf32>
    } else {
      %1 = nd.sin %c : tensor<4xf32>
      nd.yield %1 : tensor<4xf32>
    }
    %two = nd.constant 2.0 : tensor<f32>
    nd.yield %0, %a, %two, %b : tensor<4xf32>, tensor<4xf32>, tensor<f32>, tensor<4xf32>
  } else {
    %two = nd.constant 2.0 : tensor<f32>
    nd.yield %a, %a, %two, %a : tensor<4xf32>, tensor<4xf32>, tensor<f32>, tensor<4xf32>
  }
  func.return %r#0, %r#1, %r#2 : tensor<4xf32>, tensor<4xf32>, tensor<f32>
}

// CHECK-LABEL: @no_trips
// CHECK-NEXT: %[[E:.*]] = nd.constant 0.0 : tensor<0x4xf32>
// CHECK-NEXT: func.return %x, %[[E]]
func.func @no_trips(%x: tensor<4xf32>, %xs: tensor<0x4xf32>) -> (tensor<4xf32>, tensor<0x4xf32>) {
  %c, %s = nd.scan 0 carry (%a = %x) each (%b = %xs) -> (tensor<4xf32>, tensor<0x4xf32>) {
    nd.print "never"
    %0 = nd.add %a, %b : tensor<4xf32>
    nd.yield %0, %0 : tensor<4xf32>, tensor<4xf32>
  }
  func.return %c, %s : tensor<4xf32>, tensor<0x4xf32>
}

// CHECK-LABEL: @one_trip
// CHECK-NEXT: %[[B:.*]] = nd.reshape %xs
// CHECK-NEXT: nd.print "once {}" %x
// CHECK-NEXT: %[[A:.*]] = nd.add %x, %[[B]]
// CHECK-NEXT: %[[S:.*]] = nd.reshape %[[A]]
// CHECK-NEXT: func.return %[[A]], %[[S]]
func.func @one_trip(%x: tensor<4xf32>, %xs: tensor<1x4xf32>) -> (tensor<4xf32>, tensor<1x4xf32>) {
  %c, %s = nd.scan 1 carry (%a = %x) each (%b = %xs) -> (tensor<4xf32>, tensor<1x4xf32>) {
    nd.print "once {}" %a : tensor<4xf32>
    %0 = nd.add %a, %b : tensor<4xf32>
    nd.yield %0, %0 : tensor<4xf32>, tensor<4xf32>
  }
  func.return %c, %s : tensor<4xf32>, tensor<1x4xf32>
}

// A condition that is false runs once.
// CHECK-LABEL: @never
// CHECK-NEXT: nd.print "asked"
// CHECK-NEXT: func.return %x
func.func @never(%x: tensor<4xf32>) -> tensor<4xf32> {
  %r = nd.while carry (%a = %x) -> (tensor<4xf32>) {
    nd.print "asked"
    %0 = nd.constant false : tensor<i1>
    nd.yield %0 : tensor<i1>
  } do {
    %0 = nd.exp %a : tensor<4xf32>
    nd.yield %0 : tensor<4xf32>
  }
  func.return %r : tensor<4xf32>
}

// Carried: one that never changes, one that starts and stays the same number, one that nobody needs. A sequence of
// equal slices. Stacks of an invariant and of the sequence.
// CHECK-LABEL: @carries
// CHECK-NEXT: %[[B:.*]] = nd.broadcast %y
// CHECK-NEXT: %[[R:.*]] = nd.scan 8 (%w = %y, %same = %x) carry (%c = %x) each (%s = %xs) -> (tensor<4xf32>) {
// CHECK-NEXT:   %[[T:.*]] = nd.constant 2.0
// CHECK-NEXT:   %[[M:.*]] = nd.mul %c, %same
// CHECK-NEXT:   %[[D:.*]] = nd.add %[[M]], %s
// CHECK-NEXT:   %[[F:.*]] = nd.add %[[D]], %w
// CHECK-NEXT:   %[[G:.*]] = nd.mul %[[F]], %[[T]]
// CHECK-NEXT:   nd.yield %[[G]]
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[R]], %x, %[[B]], %xs
func.func @carries(%x: tensor<4xf32>, %y: tensor<4xf32>, %xs: tensor<8x4xf32>)
    -> (tensor<4xf32>, tensor<4xf32>, tensor<8x4xf32>, tensor<8x4xf32>) {
  %two = nd.constant 2.0 : tensor<4xf32>
  %es = nd.broadcast %y "a -> b a" : tensor<4xf32> -> tensor<8x4xf32>
  %r:6 = nd.scan 8 (%w = %y) carry (%c = %x, %same = %x, %number = %two, %unread = %x) each (%s = %xs, %e = %es)
      -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<8x4xf32>, tensor<8x4xf32>) {
    %0 = nd.mul %c, %same : tensor<4xf32>
    %1 = nd.add %0, %s : tensor<4xf32>
    %2 = nd.add %1, %e : tensor<4xf32>
    %3 = nd.mul %2, %number : tensor<4xf32>
    %4 = nd.constant 2.0 : tensor<4xf32>
    %5 = nd.mul %unread, %c : tensor<4xf32>
    nd.yield %3, %same, %4, %5, %w, %s
      : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
  }
  func.return %r#0, %r#1, %r#4, %r#5 : tensor<4xf32>, tensor<4xf32>, tensor<8x4xf32>, tensor<8x4xf32>
}

// What decides the end of a while, or an effect, stays.
// CHECK-LABEL: @stays
// CHECK: nd.while (%m = %n) carry (%i = %zero, %c = %x)
// CHECK: nd.print "c = {}" %c
func.func @stays(%n: tensor<i64>, %x: tensor<f32>) {
  %zero = nd.constant 0 : tensor<i64>
  %r:2 = nd.while (%m = %n) carry (%i = %zero, %c = %x) -> (tensor<i64>, tensor<f32>) {
    %0 = nd.compare lt %i, %m : tensor<i64> -> tensor<i1>
    nd.yield %0 : tensor<i1>
  } do {
    nd.print "c = {}" %c : tensor<f32>
    %0 = nd.constant 1 : tensor<i64>
    %1 = nd.add %i, %0 : tensor<i64>
    %2 = nd.sin %c : tensor<f32>
    nd.yield %1, %2 : tensor<i64>, tensor<f32>
  }
  func.return
}

// What every trip computes alike is computed before; movement alone stays where it can be read through.
// CHECK-LABEL: @alike
// CHECK-NEXT: %[[T:.*]] = nd.transpose %w
// CHECK-NEXT: %[[H:.*]] = nd.tanh %[[T]]
// CHECK-NEXT: %[[M:.*]] = nd.contract %[[H]], %w
// CHECK-NEXT: %[[R:.*]] = nd.scan 8 (%v = %w, %[[N:.*]] = %[[M]]) carry (%c = %x) -> (tensor<4xf32>) {
// CHECK-NEXT:   %[[A:.*]] = nd.contract %[[N]], %c
// CHECK-NEXT:   %[[B:.*]] = nd.contract %v, %[[A]] "a b, a -> b"
// CHECK-NEXT:   nd.yield %[[B]]
func.func @alike(%w: tensor<4x4xf32>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %r = nd.scan 8 (%v = %w) carry (%c = %x) -> (tensor<4xf32>) {
    %0 = nd.transpose %v "a b -> b a" : (tensor<4x4xf32>) -> tensor<4x4xf32>
    %1 = nd.tanh %0 : tensor<4x4xf32>
    %2 = nd.contract %1, %v "a b, b c -> a c" : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %3 = nd.contract %2, %c "a b, b -> a" : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %4 = nd.transpose %v "a b -> b a" : (tensor<4x4xf32>) -> tensor<4x4xf32>
    %5 = nd.contract %4, %3 "a b, b -> a" : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>
    nd.yield %5 : tensor<4xf32>
  }
  func.return %r : tensor<4xf32>
}
