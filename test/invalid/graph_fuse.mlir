// RUN: mlc-opt %s -p graph-fuse,graph-plan --split-input-file --verify-diagnostics

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.exp %x : tensor<4xf32>
  // expected-error @+1 {{graph-fuse: expected ops of the nd dialect, found func.call}}
  %1 = func.call @other(%0) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %1 : tensor<4xf32>
}
func.func private @other(%x: tensor<4xf32>) -> tensor<4xf32>

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{graph-plan: expected launches, found a kernel; run graph-outline}}
  %0 = nd.exp %x : tensor<4xf32>
  func.return %0 : tensor<4xf32>
}
