// RUN: mlc-opt %s -p graph-fuse,graph-outline,graph-order{worth=0} --split-input-file | FileCheck %s
// RUN: mlc-opt %s -p graph-fuse,graph-outline,graph-order --split-input-file | FileCheck %s --check-prefix=NEAR

// What reads a large value and makes a small one comes before the next large one is made.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %0 = graph.launch @matmul(%x, %w)
// CHECK-NEXT:    %1 = graph.launch @matmul_1(%0, %v)
// CHECK-NEXT:    %2 = graph.launch @matmul(%y, %w)
// CHECK-NEXT:    %3 = graph.launch @matmul_2(%2, %v)
// CHECK-NEXT:    graph.launch @matmul_3(%1, %3)
// A few KiB are not worth another order.
// NEAR-LABEL: func.func @main
// NEAR-NEXT:     graph.launch @matmul(%x, %w)
// NEAR-NEXT:     graph.launch @matmul(%y, %w)
func.func @main(%x: tensor<16x16xf32>, %y: tensor<16x16xf32>, %w: tensor<16x16xf32>, %v: tensor<16x2xf32>) -> tensor<2x2xf32> {
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  %1 = nd.contract %y, %w "a b, b c -> a c" : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  %2 = nd.contract %0, %v "a b, a c -> b c" : (tensor<16x16xf32>, tensor<16x2xf32>) -> tensor<16x2xf32>
  %3 = nd.contract %1, %v "a b, b c -> a c" : (tensor<16x16xf32>, tensor<16x2xf32>) -> tensor<16x2xf32>
  %4 = nd.contract %2, %3 "a b, a c -> b c" : (tensor<16x2xf32>, tensor<16x2xf32>) -> tensor<2x2xf32>
  func.return %4 : tensor<2x2xf32>
}

// -----

// Effects keep their order; a donated argument that is read before it is replaced stays so.
// CHECK-LABEL: func.func @effects
// CHECK:         graph.launch @matmul(%w, %x)
// CHECK:         nd.print "first
// CHECK-NEXT:    graph.launch @matmul(%0, %x)
// CHECK-NEXT:    graph.launch @mul_sub(
// CHECK-NEXT:         nd.print "second
func.func @effects(%w: tensor<16x16xf32>, %x: tensor<16x16xf32>) -> (tensor<16x16xf32>, tensor<16x16xf32>) attributes {mlc.donated = [0]} {
  %0 = nd.contract %w, %x "a b, b c -> a c" : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  nd.print "first {}" %x : tensor<16x16xf32>
  %1 = nd.contract %0, %x "a b, b c -> a c" : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  %2 = nd.mul %x, %x : tensor<16x16xf32>
  %3 = nd.sub %w, %2 : tensor<16x16xf32>
  nd.print "second {}" %x : tensor<16x16xf32>
  func.return %3, %1 : tensor<16x16xf32>, tensor<16x16xf32>
}

// -----

// In the body of a loop, too.
// CHECK-LABEL: func.func @body
// CHECK:         nd.scan 4
// CHECK-NEXT:      %0 = graph.launch @matmul(%c)
// CHECK-NEXT:      %1 = graph.launch @matmul_2(%0, %u)
// CHECK-NEXT:      %2 = graph.launch @matmul_1(%c)
// CHECK-NEXT:      %3 = graph.launch @matmul_2(%2, %u)
func.func @body(%x: tensor<16x16xf32>, %v: tensor<16x2xf32>) -> tensor<16x16xf32> {
  %r = nd.scan 4 (%u = %v) carry (%c = %x) -> (tensor<16x16xf32>) {
    %0 = nd.contract %c, %c "a b, b c -> a c" : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
    %1 = nd.contract %c, %c "a b, c b -> a c" : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
    %2 = nd.contract %0, %u "a b, b c -> a c" : (tensor<16x16xf32>, tensor<16x2xf32>) -> tensor<16x2xf32>
    %3 = nd.contract %1, %u "a b, b c -> a c" : (tensor<16x16xf32>, tensor<16x2xf32>) -> tensor<16x2xf32>
    %4 = nd.contract %2, %3 "a b, c b -> a c" : (tensor<16x2xf32>, tensor<16x2xf32>) -> tensor<16x16xf32>
    nd.yield %4 : tensor<16x16xf32>
  }
  func.return %r : tensor<16x16xf32>
}
