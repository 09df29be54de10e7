// RUN: mlc-opt %s -p 'recognize{stable=true}' | FileCheck %s
// RUN: mlc-opt %s -p recognize | FileCheck %s --check-prefix=PLAIN
// RUN: mlc-opt %s -p 'recognize{numerics=fast}' | FileCheck %s --check-prefix=FAST
// RUN: mlc-opt %s -p 'recognize{numerics=exact}' | FileCheck %s --check-prefix=EXACT

// EXACT-NOT: nd.gelu
// EXACT-NOT: nd.silu

// CHECK-LABEL: @gelu
// CHECK-NEXT: %[[Y:.*]] = nd.gelu %x : tensor<4xf32>
// CHECK-NEXT: func.return %[[Y]]
func.func @gelu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.mul %x, %x : tensor<4xf32>
  %1 = nd.constant 0.044715 : tensor<4xf32>
  %2 = nd.mul %0, %1 : tensor<4xf32>
  %3 = nd.constant 1.0 : tensor<4xf32>
  %4 = nd.add %2, %3 : tensor<4xf32>
  %5 = nd.constant 0.7978846 : tensor<4xf32>
  %6 = nd.mul %x, %5 : tensor<4xf32>
  %7 = nd.mul %6, %4 : tensor<4xf32>
  %8 = nd.tanh %7 : tensor<4xf32>
  %9 = nd.add %8, %3 : tensor<4xf32>
  %10 = nd.mul %x, %9 : tensor<4xf32>
  %11 = nd.constant 0.5 : tensor<4xf32>
  %12 = nd.mul %10, %11 : tensor<4xf32>
  func.return %12 : tensor<4xf32>
}

// CHECK-LABEL: @erf
// CHECK-NEXT: %[[Y:.*]] = nd.gelu_erf %x : tensor<4xf32>
// CHECK-NEXT: func.return %[[Y]]
func.func @erf(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.constant 1.4142135 : tensor<4xf32>
  %1 = nd.div %x, %0 : tensor<4xf32>
  %2 = nd.erf %1 : tensor<4xf32>
  %3 = nd.constant 1.0 : tensor<4xf32>
  %4 = nd.add %2, %3 : tensor<4xf32>
  %5 = nd.constant 0.5 : tensor<4xf32>
  %6 = nd.mul %x, %5 : tensor<4xf32>
  %7 = nd.mul %6, %4 : tensor<4xf32>
  func.return %7 : tensor<4xf32>
}

// The complement is more exact than the op where it is near 0.
// CHECK-LABEL: @erfc
// CHECK:      nd.erfc
// FAST-LABEL: @erfc
// FAST-NEXT:  nd.gelu_erf
func.func @erfc(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.constant -0.70710677 : tensor<4xf32>
  %1 = nd.mul %x, %0 : tensor<4xf32>
  %2 = nd.erfc %1 : tensor<4xf32>
  %3 = nd.constant 0.5 : tensor<4xf32>
  %4 = nd.mul %x, %3 : tensor<4xf32>
  %5 = nd.mul %4, %2 : tensor<4xf32>
  func.return %5 : tensor<4xf32>
}

// A sigmoid that two read is one; only where it has one reader is x times it another op.
// PLAIN-LABEL: @silu
// PLAIN-NOT:   nd.silu
// PLAIN:       nd.div
// CHECK-LABEL: @silu
// CHECK-NEXT: nd.silu %x
// CHECK-NEXT: %[[S:.*]] = nd.sigmoid %y
// CHECK-NEXT: nd.mul %y, %[[S]]
func.func @silu(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %0 = nd.constant 1.0 : tensor<4xf32>
  %1 = nd.neg %x : tensor<4xf32>
  %2 = nd.exp %1 : tensor<4xf32>
  %3 = nd.add %0, %2 : tensor<4xf32>
  %4 = nd.div %x, %3 : tensor<4xf32>
  %5 = nd.neg %y : tensor<4xf32>
  %6 = nd.exp %5 : tensor<4xf32>
  %7 = nd.add %0, %6 : tensor<4xf32>
  %8 = nd.div %0, %7 : tensor<4xf32>
  %9 = nd.mul %y, %8 : tensor<4xf32>
  func.return %4, %8, %9 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: @softplus
// CHECK:      nd.logaddexp %x
// CHECK-NEXT: func.return
func.func @softplus(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.exp %x : tensor<4xf32>
  %1 = nd.log1p %0 : tensor<4xf32>
  %2 = nd.constant 20.0 : tensor<4xf32>
  %3 = nd.compare gt %x, %2 : tensor<4xf32> -> tensor<4xi1>
  %4 = nd.select %3, %x, %1 : tensor<4xi1>, tensor<4xf32>
  func.return %4 : tensor<4xf32>
}
