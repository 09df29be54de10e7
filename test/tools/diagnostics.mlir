// RUN: mlc-opt %s --split-input-file --verify-diagnostics
// RUN: not mlc-opt %s --split-input-file 2>&1 | FileCheck %s

// CHECK: diagnostics.mlir:9:29: error: expected a value that is defined, found %y
// CHECK-NEXT: %sum_of_both = nd.add
// CHECK: diagnostics.mlir:16:3: error: nd.exp: expected elements of a float or complex type (f16, bf16, f32, f64, complex<f32> or complex<f64>)
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // The next line's error is met by a comment behind it.
  %sum_of_both = nd.add %x, %y : tensor<4xf32> // expected-error {{found %y}}
  func.return %sum_of_both : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xi32>) -> tensor<4xi32> {
  %0 = nd.exp %x : tensor<4xi32>
  // expected-error @above {{expected elements of a float or complex type (f16, bf16, f32, f64, complex<f32> or complex<f64>), found tensor<4xi32>}}
  func.return %0 : tensor<4xi32>
}
