// RUN: mlc-opt %s -p grad,canonicalize | FileCheck %s
// RUN: mlc-opt %s -p 'grad{value=false},canonicalize' | FileCheck %s --check-prefix=ONLY
// RUN: not mlc-opt %s -p 'grad{wrt=1}' 2>&1 | FileCheck %s --check-prefix=WRONG

// exp(v) is read twice in (exp(v) + 1) exp(v): its adjoint is the sum of two parts.
// CHECK-LABEL: func.func @main_grad(
// CHECK-SAME:    %v: tensor<f64>) -> (tensor<f64>, tensor<f64>)
// CHECK:       %[[E:.*]] = nd.exp %v
// CHECK:       %[[S:.*]] = nd.add %[[E]], %{{.*}}
// CHECK:       %[[Y:.*]] = nd.mul %[[S]], %[[E]]
// CHECK:       %[[P:.*]] = nd.add %[[S]], %[[E]]
// CHECK:       nd.mul
// CHECK:       func.return %[[Y]], %{{.*}} : tensor<f64>, tensor<f64>

// ONLY-LABEL: func.func @main_grad(
// ONLY-SAME:    %v: tensor<f64>) -> tensor<f64>

// WRONG: grad.mlir:{{.*}}: error: expected an argument of @main from 0 to 0, found 1
func.func @main(%v: tensor<f64>) -> tensor<f64> {
  %0 = nd.exp %v : tensor<f64>
  %1 = nd.constant 1.0 : tensor<f64>
  %2 = nd.add %0, %1 : tensor<f64>
  %3 = nd.mul %2, %0 : tensor<f64>
  func.return %3 : tensor<f64>
}
