// RUN: mlc-opt %s -p 'grad,canonicalize,dce' | FileCheck %s
// RUN: mlc-opt %s -p 'grad{wrt=1 value=false}' | FileCheck %s --check-prefix=WEIGHT
// RUN: mlc-opt %s -p 'vjp{entry=twice}' | FileCheck %s --check-prefix=TWICE
// RUN: mlc-opt %s -p 'grad{entry=unused}' | FileCheck %s --check-prefix=UNUSED

// Value and gradients of all floats, forward and backward in one function.
// CHECK-LABEL: func.func @main_grad(%x: tensor<4x3xf32>, %w: tensor<3x2xf32>) -> (tensor<f32>, tensor<4x3xf32>, tensor<3x2xf32>) {
// CHECK:         %[[Y:.*]] = nd.tanh
// CHECK:         %[[D:.*]] = nd.sub
// CHECK:         %[[S:.*]] = nd.reduce sum %[[Y]]
// CHECK-DAG:     %[[W:.*]] = nd.contract %[[D]], %x "a b, a c -> c b"
// CHECK-DAG:     %[[X:.*]] = nd.contract %[[D]], %w "a b, c b -> a c"
// CHECK:         func.return %[[S]], %[[X]], %[[W]]

// WEIGHT-LABEL: func.func @main_grad(%x: tensor<4x3xf32>, %w: tensor<3x2xf32>) -> tensor<3x2xf32> {
// WEIGHT:         %[[W:.*]] = nd.contract %{{.*}}, %x "a b, a c -> c b"
// WEIGHT-NEXT:    func.return %[[W]]
func.func @main(%x: tensor<4x3xf32>, %w: tensor<3x2xf32>) -> tensor<f32> {
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<4x3xf32>, tensor<3x2xf32>) -> tensor<4x2xf32>
  %1 = nd.tanh %0 : tensor<4x2xf32>
  %2 = nd.reduce sum %1 "a b -> " : (tensor<4x2xf32>) -> tensor<f32>
  func.return %2 : tensor<f32>
}

// The partial adjoints of a value's two readers are summed.
// TWICE-LABEL: func.func @twice_vjp(%v: tensor<f64>, %ct0: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
// TWICE:         %[[E:.*]] = nd.exp %v
// TWICE:         nd.add
// TWICE-COUNT-2: nd.mul %ct0
// TWICE:         %[[S:.*]] = nd.add
// TWICE:         %[[G:.*]] = nd.mul %[[S]], %[[E]]
// TWICE:         func.return %{{.*}}, %[[G]]
func.func @twice(%v: tensor<f64>) -> tensor<f64> {
  %0 = nd.exp %v : tensor<f64>
  %1 = nd.constant 1.0 : tensor<f64>
  %2 = nd.add %0, %1 : tensor<f64>
  %3 = nd.mul %2, %0 : tensor<f64>
  func.return %3 : tensor<f64>
}

// UNUSED-LABEL: func.func @unused_grad(
// UNUSED-DAG:     %[[ONE:.*]] = nd.constant 1.0 : tensor<f32>
// UNUSED-DAG:     %[[ZERO:.*]] = nd.constant 0.0 : tensor<7xf32>
// UNUSED:         func.return %x, %[[ONE]], %[[ZERO]]
func.func @unused(%x: tensor<f32>, %y: tensor<7xf32>, %k: tensor<2xi64>) -> tensor<f32> {
  func.return %x : tensor<f32>
}
