// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/wide.toml}" | FileCheck %s

// A depthwise convolution, channels last, by a kernel that has channels first: the kernel is copied once, and lanes run
// along the channels.
// CHECK: func.func @depthwise({{.*}} attributes {loop.schedule = "loop-pack{value=w axes=m,n,l only=mm},
// CHECK-SAME: loop-vectorize{axes=l only=mm}
func.func @depthwise(%x: tensor<30x30x64xf32>, %w: tensor<64x3x3xf32>) -> tensor<28x28x64xf32> {
  %y = loop.stage mm [j: 28, k: 28, l: 64, m: 3, n: 3] (%a = %x[j + m, k + n, l], %b = %w[l, m, n]) -> add [j, k, l] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %y : tensor<28x28x64xf32>
}
