// RUN: mlc-opt %s -p linearize | FileCheck %s
// RUN: mlc-opt %s -p 'linearize{entry=product wrt=1}' | FileCheck %s --check-prefix=PRODUCT

// The program at a point gives its residuals; the linear map and its transpose read them.
// CHECK-LABEL: func.func @main_forward(%x: tensor<3xf64>) -> (tensor<3xf64>, tensor<3xf64>) {
// CHECK-NEXT:    %y = nd.sin %x
// CHECK-NEXT:    %[[C:.*]] = nd.cos %x
// CHECK-NEXT:    func.return %y, %[[C]]
// CHECK-LABEL: func.func @main_linear(
// CHECK-SAME:    %[[R:.*]]: tensor<3xf64>, %[[DX:.*]]: tensor<3xf64>) -> tensor<3xf64> {
// CHECK-NEXT:    %[[DY:.*]] = nd.mul %[[DX]], %[[R]]
// CHECK-NEXT:    func.return %[[DY]]
// CHECK-LABEL: func.func @main_backward(
// CHECK-SAME:    %[[R:.*]]: tensor<3xf64>, %[[CT:.*]]: tensor<3xf64>) -> tensor<3xf64> {
// CHECK-NEXT:    %[[CX:.*]] = nd.mul %[[CT]], %[[R]]
// CHECK-NEXT:    func.return %[[CX]]
func.func @main(%x: tensor<3xf64>) -> tensor<3xf64> {
  %y = nd.sin %x : tensor<3xf64>
  func.return %y : tensor<3xf64>
}

// Only the argument asked for is active: the residual is the other one.
// PRODUCT-LABEL: func.func @product_forward(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>) -> (tensor<2x4xf32>, tensor<2x3xf32>) {
// PRODUCT:         func.return %{{.*}}, %x
// PRODUCT-LABEL: func.func @product_backward(
// PRODUCT-SAME:    %[[X:.*]]: tensor<2x3xf32>, %[[CT:.*]]: tensor<2x4xf32>) -> tensor<3x4xf32> {
// PRODUCT-NEXT:    nd.contract %[[CT]], %[[X]] "a b, a c -> c b"
// PRODUCT-NEXT:    func.return
func.func @product(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  func.return %0 : tensor<2x4xf32>
}
