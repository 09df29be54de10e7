// RUN: mlc-opt %s -p recognize | FileCheck %s

// CHECK-LABEL: @layer_norm
// CHECK-NEXT: %[[Y:.*]] = nd.layer_norm %x, %g, %b "a b, b, b -> a b" over [1] eps 1.0e-05
// CHECK-NEXT: func.return %[[Y]]
func.func @layer_norm(%x: tensor<?x8xf32, #nd.sym<n>>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<?x8xf32, #nd.sym<n>> {
  %0 = nd.mean %x "a b -> a" : (tensor<?x8xf32, #nd.sym<n>>) -> tensor<?xf32, #nd.sym<n>>
  %1 = nd.broadcast %0 "a -> a b" : tensor<?xf32, #nd.sym<n>> -> tensor<?x8xf32, #nd.sym<n>>
  %2 = nd.sub %x, %1 : tensor<?x8xf32, #nd.sym<n>>
  %3 = nd.mul %2, %2 : tensor<?x8xf32, #nd.sym<n>>
  %4 = nd.reduce sum %3 "a b -> a" : (tensor<?x8xf32, #nd.sym<n>>) -> tensor<?xf32, #nd.sym<n>>
  %5 = nd.constant 0.125 : tensor<?xf32, #nd.sym<n>>
  %6 = nd.mul %4, %5 : tensor<?xf32, #nd.sym<n>>
  %7 = nd.constant 1.0e-05 : tensor<?xf32, #nd.sym<n>>
  %8 = nd.add %6, %7 : tensor<?xf32, #nd.sym<n>>
  %9 = nd.rsqrt %8 : tensor<?xf32, #nd.sym<n>>
  %10 = nd.broadcast %9 "a -> a b" : tensor<?xf32, #nd.sym<n>> -> tensor<?x8xf32, #nd.sym<n>>
  %11 = nd.broadcast %g "a -> b a" : tensor<8xf32> -> tensor<?x8xf32, #nd.sym<n>>
  %12 = nd.mul %10, %11 : tensor<?x8xf32, #nd.sym<n>>
  %13 = nd.mul %2, %12 : tensor<?x8xf32, #nd.sym<n>>
  %14 = nd.broadcast %b "a -> b a" : tensor<8xf32> -> tensor<?x8xf32, #nd.sym<n>>
  %15 = nd.add %13, %14 : tensor<?x8xf32, #nd.sym<n>>
  func.return %15 : tensor<?x8xf32, #nd.sym<n>>
}

// CHECK-LABEL: @rms_norm
// CHECK-NEXT: %[[Y:.*]] = nd.rms_norm %x, %g "a b, b -> a b" over [1] eps 1.0e-06
// CHECK-NEXT: %[[Z:.*]] = nd.add %[[Y]], %x
// CHECK-NEXT: func.return %[[Z]]
func.func @rms_norm(%x: tensor<4x8xf32>, %g: tensor<8xf32>) -> tensor<4x8xf32> {
  %0 = nd.mul %x, %x : tensor<4x8xf32>
  %1 = nd.mean %0 "a b -> a" : (tensor<4x8xf32>) -> tensor<4xf32>
  %2 = nd.constant 1.0e-06 : tensor<4xf32>
  %3 = nd.add %1, %2 : tensor<4xf32>
  %4 = nd.sqrt %3 : tensor<4xf32>
  %5 = nd.broadcast %4 "a -> a b" : tensor<4xf32> -> tensor<4x8xf32>
  %6 = nd.div %x, %5 : tensor<4x8xf32>
  %7 = nd.broadcast %g "a -> b a" : tensor<8xf32> -> tensor<4x8xf32>
  %8 = nd.mul %7, %6 : tensor<4x8xf32>
  %9 = nd.add %8, %x : tensor<4x8xf32>
  func.return %9 : tensor<4x8xf32>
}

// Given statistics.
// CHECK-LABEL: @batch_norm
// CHECK:      %[[Y:.*]] = nd.batch_norm %x, %m, %v, %{{.*}}, %b "a b, b, b, b, b -> a b" eps 0.001
// CHECK-NEXT: func.return %[[Y]]
func.func @batch_norm(%x: tensor<4x8xf32>, %m: tensor<8xf32>, %v: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %0 = nd.broadcast %m "a -> b a" : tensor<8xf32> -> tensor<4x8xf32>
  %1 = nd.sub %x, %0 : tensor<4x8xf32>
  %2 = nd.constant 0.001 : tensor<8xf32>
  %3 = nd.add %v, %2 : tensor<8xf32>
  %4 = nd.rsqrt %3 : tensor<8xf32>
  %5 = nd.broadcast %4 "a -> b a" : tensor<8xf32> -> tensor<4x8xf32>
  %6 = nd.mul %1, %5 : tensor<4x8xf32>
  %7 = nd.broadcast %b "a -> b a" : tensor<8xf32> -> tensor<4x8xf32>
  %8 = nd.add %6, %7 : tensor<4x8xf32>
  func.return %8 : tensor<4x8xf32>
}
