// RUN: mlc-opt %s -p jvp | FileCheck %s
// RUN: mlc-opt %s -p 'jvp{entry=composite}' | FileCheck %s --check-prefix=COMPOSITE
// RUN: mlc-opt %s -p jvp --mlir-print-debuginfo | FileCheck %s --check-prefix=PLACES

// Every op is followed by its tangent; an integer has none.
// CHECK-LABEL: func.func @main_jvp(%x: tensor<3xf64>, %n: tensor<3xi64>, %dx: tensor<3xf64>) -> (tensor<3xf64>, tensor<3xi64>, tensor<3xf64>) {
// CHECK-NEXT:    %y = nd.sin %x
// CHECK-NEXT:    %[[C:.*]] = nd.cos %x
// CHECK-NEXT:    %[[D:.*]] = nd.mul %dx, %[[C]]
// CHECK-NEXT:    func.return %y, %n, %[[D]] : tensor<3xf64>, tensor<3xi64>, tensor<3xf64>
// CHECK-NEXT:  }

// PLACES-LABEL: @main_jvp
// PLACES:         nd.mul {{.*}} loc("{{.*}}jvp_integers.mlir":16:3)
func.func @main(%x: tensor<3xf64>, %n: tensor<3xi64>) -> (tensor<3xf64>, tensor<3xi64>) {
  %y = nd.sin %x : tensor<3xf64>
  func.return %y, %n : tensor<3xf64>, tensor<3xi64>
}

// The function itself stays; a composite with a rule of its own stays whole.
// COMPOSITE-LABEL: func.func @composite(
// COMPOSITE-LABEL: func.func @composite_jvp(
// COMPOSITE:         nd.softmax %x
// COMPOSITE-NOT:     nd.exp
func.func @composite(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = nd.softmax %x : tensor<2x3xf32>
  func.return %0 : tensor<2x3xf32>
}
