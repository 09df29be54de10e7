// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<2x3xf32>, %y: tensor<?x3xi32, #nd.sym<b>>) {
  // CHECK: %0 = nd.cumulative sum %x along [1] : tensor<2x3xf32>
  %0 = nd.cumulative sum %x along [1] : tensor<2x3xf32>
  // CHECK: %1 = nd.cumulative prod %y along [0] reverse : tensor<?x3xi32, #nd.sym<b>>
  %1 = nd.cumulative prod %y along [0] reverse : tensor<?x3xi32, #nd.sym<b>>
  // CHECK: %2 = nd.cumulative max %x along [0] : tensor<2x3xf32>
  %2 = nd.cumulative max %x along [0] : tensor<2x3xf32>
  // CHECK: %3 = nd.cumulative min %x along [0] : tensor<2x3xf32>
  %3 = nd.cumulative min %x along [0] : tensor<2x3xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expected one dimension of tensor<2x3xf32> in `along`, found [2]}}
  %0 = nd.cumulative sum %x along [2] : tensor<2x3xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expected one dimension of tensor<2x3xf32> in `along`, found [0, 1]}}
  %0 = nd.cumulative sum %x along [0, 1] : tensor<2x3xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<3xi1>) {
  // expected-error@+1 {{found tensor<3xi1>; convert it first}}
  %0 = nd.cumulative sum %x along [0] : tensor<3xi1>
  func.return
}
