// RUN: mlc-opt %s -p 'linearize,dce' | FileCheck %s

// What every trip computes alike comes before the loop, residuals are stacked, slices are read again; the effect stays
// in the known part. Backwards the loop runs from the end, and sums the cotangents of the invariant.
// CHECK-LABEL: func.func @main_forward(%w: tensor<3xf64>, %x: tensor<3xf64>, %xs: tensor<8x3xf64>) -> (tensor<3xf64>, tensor<3xf64>, tensor<8x3xf64>, tensor<8x3xf64>, tensor<8x3xf64>) {
// CHECK-NEXT: %0 = nd.exp %w : tensor<3xf64>
// CHECK-NEXT: %1, %2, %3 = nd.scan 8 (%4 = %0) carry (%c = %x) each (%s = %xs) -> (tensor<3xf64>, tensor<8x3xf64>, tensor<8x3xf64>) {
// CHECK-NEXT: nd.print "{{[{][}]}}" %c : tensor<3xf64>
// CHECK-NEXT: %5 = nd.mul %c, %s : tensor<3xf64>
// CHECK-NEXT: %6 = nd.sin %5 : tensor<3xf64>
// CHECK-NEXT: %7 = nd.cos %5 : tensor<3xf64>
// CHECK-NEXT: %8 = nd.add %6, %4 : tensor<3xf64>
// CHECK-NEXT: nd.yield %8, %c, %7 : tensor<3xf64>, tensor<3xf64>, tensor<3xf64>
// CHECK-NEXT: }
// CHECK-NEXT: func.return %1, %0, %xs, %2, %3 : tensor<3xf64>, tensor<3xf64>, tensor<8x3xf64>, tensor<8x3xf64>, tensor<8x3xf64>
// CHECK-LABEL: func.func @main_linear(%0: tensor<3xf64>, %1: tensor<8x3xf64>, %2: tensor<8x3xf64>, %3: tensor<8x3xf64>, %4: tensor<3xf64>, %5: tensor<3xf64>, %6: tensor<8x3xf64>) -> tensor<3xf64> {
// CHECK-NEXT: %7 = nd.scan 8 (%8 = %0, %9 = %4) carry (%10 = %5) each (%s = %1, %c = %2, %11 = %3, %12 = %6) -> (tensor<3xf64>) {
// CHECK-NEXT: %13 = nd.mul %10, %s : tensor<3xf64>
// CHECK-NEXT: %14 = nd.mul %c, %12 : tensor<3xf64>
// CHECK-NEXT: %15 = nd.add %13, %14 : tensor<3xf64>
// CHECK-NEXT: %16 = nd.mul %15, %11 : tensor<3xf64>
// CHECK-NEXT: %17 = nd.mul %9, %8 : tensor<3xf64>
// CHECK-NEXT: %18 = nd.add %16, %17 : tensor<3xf64>
// CHECK-NEXT: nd.yield %18 : tensor<3xf64>
// CHECK-NEXT: }
// CHECK-NEXT: func.return %7 : tensor<3xf64>
// CHECK-LABEL: func.func @main_backward(%0: tensor<3xf64>, %1: tensor<8x3xf64>, %2: tensor<8x3xf64>, %3: tensor<8x3xf64>, %4: tensor<3xf64>) -> (tensor<3xf64>, tensor<3xf64>, tensor<8x3xf64>) {
// CHECK-NEXT: %5 = nd.constant 0.0 : tensor<3xf64>
// CHECK-NEXT: %6, %7, %8 = nd.scan 8 reverse (%9 = %0) carry (%10 = %4, %11 = %5) each (%12 = %1, %13 = %2, %14 = %3) -> (tensor<3xf64>, tensor<3xf64>, tensor<8x3xf64>) {
// CHECK-NEXT: %15 = nd.mul %10, %9 : tensor<3xf64>
// CHECK-NEXT: %16 = nd.mul %10, %14 : tensor<3xf64>
// CHECK-NEXT: %17 = nd.mul %16, %13 : tensor<3xf64>
// CHECK-NEXT: %18 = nd.mul %16, %12 : tensor<3xf64>
// CHECK-NEXT: %19 = nd.add %11, %15 : tensor<3xf64>
// CHECK-NEXT: nd.yield %18, %19, %17 : tensor<3xf64>, tensor<3xf64>, tensor<3xf64>
// CHECK-NEXT: }
// CHECK-NEXT: func.return %7, %6, %8 : tensor<3xf64>, tensor<3xf64>, tensor<8x3xf64>
func.func @main(%w: tensor<3xf64>, %x: tensor<3xf64>, %xs: tensor<8x3xf64>) -> tensor<3xf64> {
  %r = nd.scan 8 (%v = %w) carry (%c = %x) each (%s = %xs) -> (tensor<3xf64>) {
    nd.print "{}" %c : tensor<3xf64>
    %0 = nd.mul %c, %s : tensor<3xf64>
    %1 = nd.sin %0 : tensor<3xf64>
    %2 = nd.exp %v : tensor<3xf64>
    %3 = nd.add %1, %2 : tensor<3xf64>
    nd.yield %3 : tensor<3xf64>
  }
  func.return %r : tensor<3xf64>
}
