// RUN: mlc-opt %s -p 'jvp,dce' | FileCheck %s

// One loop for values and tangents; what is carried starts with the tangent of its start.
// CHECK-LABEL: func.func @main_jvp(%w: tensor<3xf64>, %x: tensor<3xf64>, %xs: tensor<8x3xf64>, %dw: tensor<3xf64>, %dx: tensor<3xf64>, %dxs: tensor<8x3xf64>) -> (tensor<3xf64>, tensor<3xf64>) {
// CHECK-NEXT: %0, %1 = nd.scan 8 (%v = %w, %dv = %dw) carry (%c = %x, %dc = %dx) each (%s = %xs, %ds = %dxs) -> (tensor<3xf64>, tensor<3xf64>) {
// CHECK-NEXT: nd.print "{{[{][}]}}" %c : tensor<3xf64>
// CHECK-NEXT: %2 = nd.mul %c, %s : tensor<3xf64>
// CHECK-NEXT: %3 = nd.mul %dc, %s : tensor<3xf64>
// CHECK-NEXT: %4 = nd.mul %c, %ds : tensor<3xf64>
// CHECK-NEXT: %5 = nd.add %3, %4 : tensor<3xf64>
// CHECK-NEXT: %6 = nd.sin %2 : tensor<3xf64>
// CHECK-NEXT: %7 = nd.cos %2 : tensor<3xf64>
// CHECK-NEXT: %8 = nd.mul %5, %7 : tensor<3xf64>
// CHECK-NEXT: %9 = nd.exp %v : tensor<3xf64>
// CHECK-NEXT: %10 = nd.mul %dv, %9 : tensor<3xf64>
// CHECK-NEXT: %11 = nd.add %6, %9 : tensor<3xf64>
// CHECK-NEXT: %12 = nd.add %8, %10 : tensor<3xf64>
// CHECK-NEXT: nd.yield %11, %12 : tensor<3xf64>, tensor<3xf64>
// CHECK-NEXT: }
// CHECK-NEXT: func.return %0, %1 : tensor<3xf64>, tensor<3xf64>
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
