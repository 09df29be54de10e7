// RUN: mlc-opt %s -p "loop-tile{axis=k size=16 only=mm},loop-pack{value=A axes=k,i only=mm},loop-pipeline{stages=3 only=mm}" | FileCheck %s
// The loop that sums is marked.

func.func @f(%A: tensor<64x64xf32>, %B: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %c = loop.stage mm [i: 64, j: 64, k: 64] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %c : tensor<64x64xf32>
}

// CHECK: loop.for k0 = 64 step 16 -> add [0, 0] attributes {loop.stages = 3 : i64} {
// CHECK-NEXT: %pack_A = loop.stage pack_A
