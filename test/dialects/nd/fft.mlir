// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<4x6xf32>, %z: tensor<?x4x6xcomplex<f64>, #nd.sym<b>>) {
  // CHECK: %0 = nd.fft rfft %x [6] : (tensor<4x6xf32>) -> tensor<4x4xcomplex<f32>>
  %0 = nd.fft rfft %x [6] : (tensor<4x6xf32>) -> tensor<4x4xcomplex<f32>>
  // CHECK: %1 = nd.fft irfft %0 [4, 7] : (tensor<4x4xcomplex<f32>>) -> tensor<4x7xf32>
  %1 = nd.fft irfft %0 [4, 7] : (tensor<4x4xcomplex<f32>>) -> tensor<4x7xf32>
  // CHECK: %2 = nd.fft fft %z [4, 6] : (tensor<?x4x6xcomplex<f64>, #nd.sym<b>>)
  %2 = nd.fft fft %z [4, 6] : (tensor<?x4x6xcomplex<f64>, #nd.sym<b>>) -> tensor<?x4x6xcomplex<f64>, #nd.sym<b>>
  // CHECK: %3 = nd.fft ifft %2 [6] : (tensor<?x4x6xcomplex<f64>, #nd.sym<b>>)
  %3 = nd.fft ifft %2 [6] : (tensor<?x4x6xcomplex<f64>, #nd.sym<b>>) -> tensor<?x4x6xcomplex<f64>, #nd.sym<b>>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x6xf32>) {
  // expected-error@+1 {{expected elements of a complex type (complex<f32> or complex<f64>) for fft, found tensor<4x6xf32>}}
  %0 = nd.fft fft %x [6] : (tensor<4x6xf32>) -> tensor<4x6xcomplex<f32>>
  func.return
}

// -----

func.func @wrong(%z: tensor<4x6xcomplex<f32>>) {
  // expected-error@+1 {{expected the last dimensions to be [4], found tensor<4x6xcomplex<f32>>}}
  %0 = nd.fft irfft %z [7] : (tensor<4x6xcomplex<f32>>) -> tensor<4x7xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x6xf32>) {
  // expected-error@+1 {{expected lengths from 1 on of 1 to 3 dimensions of tensor<4x6xf32>, found []}}
  %0 = nd.fft rfft %x [] : (tensor<4x6xf32>) -> tensor<4x6xcomplex<f32>>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x6xf32>) {
  // expected-error@+1 {{expected result type tensor<4x4xcomplex<f32>>, found tensor<4x6xcomplex<f32>>}}
  %0 = nd.fft rfft %x [6] : (tensor<4x6xf32>) -> tensor<4x6xcomplex<f32>>
  func.return
}
