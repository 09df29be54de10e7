// RUN: mlc-opt %s -p stablehlo-to-nd | filecheck %s

// Attributes of the module, arguments and results stay; private functions that nobody calls go.

// CHECK: builtin.module @m attributes {mhlo.num_partitions = 1 : i32}
module @m attributes {mhlo.num_partitions = 1 : i32} {
  // CHECK: func.func public @main(%x: tensor<4xf32> {mhlo.layout_mode = "default"}) -> (tensor<4xf32> {jax.result_info = ""}) {
  func.func public @main(%x: tensor<4xf32> {mhlo.layout_mode = "default"}) -> (tensor<4xf32> {jax.result_info = ""}) {
    // CHECK-NEXT: %y = nd.exp %x : tensor<4xf32>
    %y = stablehlo.exponential %x : tensor<4xf32>
    // CHECK-NEXT: %0 = func.call @twice(%y)
    %0 = call @twice(%y) : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
  // CHECK: func.func private @twice
  func.func private @twice(%x: tensor<4xf32>) -> tensor<4xf32> {
    // CHECK-NEXT: nd.add %x, %x
    %0 = stablehlo.add %x, %x : tensor<4xf32>
    return %0 : tensor<4xf32>
  }
  // CHECK-NOT: @unused
  func.func private @unused(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}
