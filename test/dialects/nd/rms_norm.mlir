// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2x3xf32>, %g: tensor<3xf32>) {
  // CHECK: %0 = nd.rms_norm %x, %g "a b, b -> a b" over [1] eps 1.0e-06 : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %0 = nd.rms_norm %x, %g "a b, b -> a b" over [1] eps 1.0e-06 : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  func.return
}

// -----

func.func @over(%x: tensor<2x3xf32>, %g: tensor<3xf32>) {
  // expected-error@+1 {{expected increasing dimensions of tensor<2x3xf32> in `over`, found []}}
  %0 = nd.rms_norm %x, %g "a b, b -> a b" over [] eps 1.0e-06 : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  func.return
}
