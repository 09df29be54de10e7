// RUN: mlc-opt %s -p fold-constants | FileCheck %s
// RUN: mlc-opt %s -p 'fold-constants{max-bytes=8}' | FileCheck %s --check-prefix=CAP

// CHECK-LABEL: func.func @dense
// CHECK-NEXT:    %0 = nd.constant [7.0, 11.0] : tensor<2xf32>
// CHECK-NEXT:    func.return %0
// CAP-LABEL:   func.func @dense
// CAP:           nd.reduce
func.func @dense() -> tensor<2xf32> {
  %0 = nd.constant [[1.0, 2.0], [3.0, 4.0]] : tensor<2x2xf32>
  %1 = nd.constant 2.0 : tensor<2x2xf32>
  %2 = nd.add %0, %1 : tensor<2x2xf32>
  %3 = nd.reduce sum %2 "a b -> a" : (tensor<2x2xf32>) -> tensor<2xf32>
  func.return %3 : tensor<2xf32>
}

// One value for all elements stays one value, at any size, symbolic too.
// CHECK-LABEL: func.func @splat
// CHECK-NEXT:    %0 = nd.constant 5.0 : tensor<?x1000000xf32, #nd.sym<b>>
// CHECK-NEXT:    %1 = nd.add %x, %0
func.func @splat(%x: tensor<?x1000000xf32, #nd.sym<b>>) -> tensor<?x1000000xf32, #nd.sym<b>> {
  %0 = nd.constant 2.0 : tensor<?x1000000xf32, #nd.sym<b>>
  %1 = nd.constant 3.0 : tensor<?x1000000xf32, #nd.sym<b>>
  %2 = nd.add %0, %1 : tensor<?x1000000xf32, #nd.sym<b>>
  %3 = nd.add %x, %2 : tensor<?x1000000xf32, #nd.sym<b>>
  func.return %3 : tensor<?x1000000xf32, #nd.sym<b>>
}

// A dense result larger than what it is made of is not written out.
// CHECK-LABEL: func.func @no_explosion
// CHECK:         nd.broadcast
func.func @no_explosion() -> tensor<1000x3xf32> {
  %0 = nd.constant [1.0, 2.0, 3.0] : tensor<3xf32>
  %1 = nd.broadcast %0 "a -> b a" : tensor<3xf32> -> tensor<1000x3xf32>
  func.return %1 : tensor<1000x3xf32>
}

// As the program would run it: integers wrap, a float quotient by 0 is infinite.
// CHECK-LABEL: func.func @semantics
// CHECK-NEXT:    %0 = nd.constant -2147483648 : tensor<i32>
// CHECK-NEXT:    %1 = nd.constant -inf : tensor<f32>
// CHECK-NEXT:    func.return %0, %1
func.func @semantics() -> (tensor<i32>, tensor<f32>) {
  %0 = nd.constant 2147483647 : tensor<i32>
  %1 = nd.constant 1 : tensor<i32>
  %2 = nd.add %0, %1 : tensor<i32>
  %3 = nd.constant -1.0 : tensor<f32>
  %4 = nd.constant 0.0 : tensor<f32>
  %5 = nd.div %3, %4 : tensor<f32>
  func.return %2, %5 : tensor<i32>, tensor<f32>
}
