// RUN: mlc-opt %s -p decompose | FileCheck %s
// RUN: mlc-opt %s -p 'decompose{ops=softmax}' | FileCheck %s --check-prefix=SOME
// RUN: not mlc-opt %s -p 'decompose{ops=exp}' 2>&1 | FileCheck %s --check-prefix=WRONG

// WRONG: error: decompose: expected the name of a composite (relu, {{.*}}), found exp

// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %0 = nd.reduce max %x "a b -> a"
// CHECK-NEXT:    %1 = nd.broadcast %0 "a -> a b"
// CHECK-NEXT:    %2 = nd.sub %x, %1
// CHECK-NEXT:    %3 = nd.exp %2
// CHECK-NEXT:    %4 = nd.reduce sum %3 "a b -> a"
// CHECK-NEXT:    %5 = nd.constant 1.0
// CHECK-NEXT:    %6 = nd.div %5, %4
// CHECK-NEXT:    %7 = nd.broadcast %6 "a -> a b"
// CHECK-NEXT:    %8 = nd.mul %3, %7
// CHECK-NEXT:    %9 = nd.constant 0.0
// CHECK-NEXT:    %10 = nd.max %8, %9
// CHECK-NEXT:    func.return %10
// SOME-LABEL:  func.func @main
// SOME:          nd.mul
// SOME-NEXT:     nd.relu
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = nd.softmax %x : tensor<4x8xf32>
  %1 = nd.relu %0 : tensor<4x8xf32>
  func.return %1 : tensor<4x8xf32>
}

// A composite of composites goes all the way down.
// CHECK-LABEL: func.func @loss
// CHECK-NOT:     nd.cross_entropy
// CHECK-NOT:     nd.log_softmax
// CHECK:         nd.log
// SOME-LABEL:  func.func @loss
// SOME-NEXT:     nd.cross_entropy
func.func @loss(%x: tensor<4x8xf32>, %t: tensor<4x8xf32>) -> tensor<4xf32> {
  %0 = nd.cross_entropy %x, %t : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4xf32>
  func.return %0 : tensor<4xf32>
}
