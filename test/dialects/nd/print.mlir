// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<4xf32>, %n: tensor<i64>) {
  // CHECK: nd.print "start"
  nd.print "start"
  %0 = nd.exp %x : tensor<4xf32>
  // CHECK: nd.print "x = {}, {:.3f}; {{[{][{]}}braces}}" %n, %x : tensor<i64>, tensor<4xf32>
  nd.print "x = {}, {:.3f}; {{braces}}" %n, %x : tensor<i64>, tensor<4xf32>
  // CHECK: nd.print "{1} {0}" %x, %n : tensor<4xf32>, tensor<i64>
  nd.print "{1} {0}" %x, %n : tensor<4xf32>, tensor<i64>
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{nd.print: expected one field for each of the 1 values, found 2 in '{0} {2}'}}
  nd.print "{0} {2}" %x : tensor<4xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{nd.print: expected one field for each of the 1 values, found 2 in '{} {}'}}
  nd.print "{} {}" %x : tensor<4xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{nd.print: expected fields {}, {0} or {:.3f}, found {x} in '{x}'}}
  nd.print "{x}" %x : tensor<4xf32>
  func.return
}
