// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2x3xf32>, %y: tensor<?xf8E4M3FN, #nd.sym<b>>) {
  // CHECK: %0 = nd.bitcast %x to ui32 : tensor<2x3xf32> -> tensor<2x3xui32>
  %0 = nd.bitcast %x to ui32 : tensor<2x3xf32> -> tensor<2x3xui32>
  // CHECK: %1 = nd.bitcast %y to i8 : tensor<?xf8E4M3FN, #nd.sym<b>> -> tensor<?xi8, #nd.sym<b>>
  %1 = nd.bitcast %y to i8 : tensor<?xf8E4M3FN, #nd.sym<b>> -> tensor<?xi8, #nd.sym<b>>
  func.return
}

// -----

func.func @width(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expected a type of 32 bits as f32 has, found i64}}
  %0 = nd.bitcast %x to i64 : tensor<2x3xf32> -> tensor<2x3xi64>
  func.return
}
