// RUN: mlc-opt %s -p jvp | FileCheck %s

// Tangents of float arguments come after the arguments, those of float results after the results.
// CHECK-LABEL: func.func @main(
// CHECK-LABEL: func.func @main_jvp(
// CHECK-SAME:    %x: tensor<3xf64>, %n: tensor<3xi64>, %dx: tensor<3xf64>) -> (tensor<3xf64>, tensor<3xi64>, tensor<3xf64>)
// CHECK-NEXT:  %[[Y:.*]] = nd.sin %x : tensor<3xf64>
// CHECK-NEXT:  %[[C:.*]] = nd.cos %x : tensor<3xf64>
// CHECK-NEXT:  %[[T:.*]] = nd.mul %dx, %[[C]] : tensor<3xf64>
// CHECK-NEXT:  %[[N:.*]] = nd.add %n, %n : tensor<3xi64>
// CHECK-NEXT:  func.return %[[Y]], %[[N]], %[[T]] : tensor<3xf64>, tensor<3xi64>, tensor<3xf64>
func.func @main(%x: tensor<3xf64>, %n: tensor<3xi64>) -> (tensor<3xf64>, tensor<3xi64>) {
  %0 = nd.sin %x : tensor<3xf64>
  %1 = nd.add %n, %n : tensor<3xi64>
  func.return %0, %1 : tensor<3xf64>, tensor<3xi64>
}
