// RUN: mlc-opt %s -p expand-complex | FileCheck %s

// CHECK-LABEL: @square_root_of_sum
// CHECK-SAME: (%z: tensor<4x2xf32>, %x: tensor<4xf32>) -> (tensor<4x2xf32>, tensor<4xf32>)
// CHECK-SAME: mlc.complex_arguments = [0 : i64], mlc.complex_results = [0 : i64]
func.func @square_root_of_sum(%z: tensor<4xcomplex<f32>>, %x: tensor<4xf32>) -> (tensor<4xcomplex<f32>>, tensor<4xf32>) {
  // CHECK: %0 = nd.slice %z from [0, 0] step [1, 1] : tensor<4x2xf32> -> tensor<4x1xf32>
  // CHECK: %z_re = nd.reshape %0 : tensor<4x1xf32> -> tensor<4xf32>
  // CHECK: %z_im = nd.reshape %1 : tensor<4x1xf32> -> tensor<4xf32>
  // CHECK: %2 = nd.mul %z_re, %z_re : tensor<4xf32>
  // CHECK: %3 = nd.mul %z_im, %z_im : tensor<4xf32>
  // CHECK: %s_re = nd.sub %2, %3 : tensor<4xf32>
  // CHECK: %s_im = nd.add %4, %5 : tensor<4xf32>
  %s = nd.mul %z, %z : tensor<4xcomplex<f32>>
  // CHECK: %r = nd.hypot %s_re, %s_im : tensor<4xf32>
  %r = nd.abs %s : tensor<4xcomplex<f32>>
  // CHECK: nd.concat {{.*}} along [1] : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  func.return %s, %r : tensor<4xcomplex<f32>>, tensor<4xf32>
}

// CHECK-LABEL: @loop
func.func @loop(%re: tensor<f32>, %im: tensor<f32>, %xs: tensor<8xcomplex<f32>>) -> tensor<f32> {
  %c = nd.complex %re, %im : (tensor<f32>, tensor<f32>) -> tensor<complex<f32>>
  // CHECK: nd.scan 8 carry (%a_re = %re, %a_im = %im) each (%b_re = %xs_re, %b_im = %xs_im) -> (tensor<f32>, tensor<f32>) {
  %0 = nd.scan 8 carry (%a = %c) each (%b = %xs) -> (tensor<complex<f32>>) {
    // CHECK: nd.yield {{.*}} : tensor<f32>, tensor<f32>
    %1 = nd.add %a, %b : tensor<complex<f32>>
    nd.yield %1 : tensor<complex<f32>>
  }
  %2 = nd.real %0 : (tensor<complex<f32>>) -> tensor<f32>
  func.return %2 : tensor<f32>
}

// CHECK-LABEL: @real_matrix
func.func @real_matrix(%x: tensor<64x128xf32>, %z: tensor<128x32xcomplex<f32>>) -> tensor<64x32xf32> {
  %0 = nd.convert %x to complex<f32> : tensor<64x128xf32> -> tensor<64x128xcomplex<f32>>
  // CHECK: nd.contract %x, %z_re "a b, b c -> a c"
  // CHECK-NOT: nd.contract
  // CHECK: func.return
  %1 = nd.contract %0, %z "a b, b c -> a c" : (tensor<64x128xcomplex<f32>>, tensor<128x32xcomplex<f32>>) -> tensor<64x32xcomplex<f32>>
  %2 = nd.real %1 : (tensor<64x32xcomplex<f32>>) -> tensor<64x32xf32>
  func.return %2 : tensor<64x32xf32>
}

// CHECK-LABEL: @constants
func.func @constants(%z: tensor<2xcomplex<f64>>) -> tensor<2xi1> {
  // CHECK: nd.constant [1.0, -0.0] : tensor<2xf64>
  // CHECK: nd.constant [-2.0, inf] : tensor<2xf64>
  %0 = nd.constant [(1.0, -2.0), (-0.0, inf)] : tensor<2xcomplex<f64>>
  // CHECK: nd.and
  %1 = nd.compare eq %z, %0 : tensor<2xcomplex<f64>> -> tensor<2xi1>
  // CHECK: nd.print "{}" {{.*}} {mlc.complex = [0 : i64]} : tensor<2x2xf64>
  nd.print "{}" %z : tensor<2xcomplex<f64>>
  func.return %1 : tensor<2xi1>
}
