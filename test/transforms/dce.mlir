// RUN: mlc-opt %s -p dce | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK-NEXT:    func.call @tick
// CHECK-NEXT:    %0 = func.call @used
// CHECK-NEXT:    func.return %0
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.exp %x : tensor<4xf32>
  %1 = nd.sin %0 : tensor<4xf32>
  func.call @tick() : () -> ()
  %2 = func.call @used(%x) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %2 : tensor<4xf32>
}

// CHECK-NEXT:  }
// CHECK-NEXT:  func.func private @used
func.func private @used(%x: tensor<4xf32>) -> tensor<4xf32> {
  func.return %x : tensor<4xf32>
}

// Two private functions that only name each other go.
// CHECK-NOT:   @loop_a
func.func private @loop_a(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = func.call @loop_b(%x) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %0 : tensor<4xf32>
}
func.func private @loop_b(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = func.call @loop_a(%x) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %0 : tensor<4xf32>
}

// CHECK:       func.func private @tick()
func.func private @tick() -> ()
