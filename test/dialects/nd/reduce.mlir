// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x0: tensor<2x3xf32>, %x1: tensor<2x3xf32>, %x2: tensor<2x3xf32>, %x3: tensor<2x3xf32>, %any: tensor<?x3xi1, #nd.sym<b>>, %all: tensor<?x3xi1, #nd.sym<b>>, %e: tensor<0x2xi32>) {
  // CHECK: %0 = nd.reduce sum %x0 "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
  %0 = nd.reduce sum %x0 "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
  // CHECK: %1 = nd.reduce prod %x1 "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
  %1 = nd.reduce prod %x1 "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
  // CHECK: %2 = nd.reduce max %x2 "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
  %2 = nd.reduce max %x2 "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
  // CHECK: %3 = nd.reduce min %x3 "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
  %3 = nd.reduce min %x3 "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
  // CHECK: %4 = nd.reduce any %any "a b -> b" : (tensor<?x3xi1, #nd.sym<b>>) -> tensor<3xi1>
  %4 = nd.reduce any %any "a b -> b" : (tensor<?x3xi1, #nd.sym<b>>) -> tensor<3xi1>
  // CHECK: %5 = nd.reduce all %all "a b -> b" : (tensor<?x3xi1, #nd.sym<b>>) -> tensor<3xi1>
  %5 = nd.reduce all %all "a b -> b" : (tensor<?x3xi1, #nd.sym<b>>) -> tensor<3xi1>
  // CHECK: %6 = nd.reduce max %e "a b -> " : (tensor<0x2xi32>) -> tensor<i32>
  %6 = nd.reduce max %e "a b -> " : (tensor<0x2xi32>) -> tensor<i32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xi1>) {
  // expected-error@+1 {{expected elements of a number type (f16, bf16, f32, f64, i8 to i64 or ui8 to ui64) for sum, found tensor<2x3xi1>}}
  %0 = nd.reduce sum %x "a b -> a" : (tensor<2x3xi1>) -> tensor<2xi1>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expected elements of i1 for any, found tensor<2x3xf32>}}
  %0 = nd.reduce any %x "a b -> a" : (tensor<2x3xf32>) -> tensor<2xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expected a reduction such as}}
  %0 = nd.reduce sum %x "a b -> b a" : (tensor<2x3xf32>) -> tensor<3x2xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expected result type tensor<3xf32>, found tensor<2xf32>}}
  %0 = nd.reduce sum %x "a b -> b" : (tensor<2x3xf32>) -> tensor<2xf32>
  func.return
}
