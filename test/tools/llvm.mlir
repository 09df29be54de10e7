// RUN: mlc-opt %s -p choose-schedule,apply-schedule,lower-loop --emit-llvm | FileCheck %s

// CHECK: define void @"mlc.k"(ptr %a0, ptr %a1, ptr noalias %ws)
// CHECK: fneg <{{[0-9]+}} x float>
// CHECK: ret void
func.func @k(%A: tensor<13x24xf32>) -> tensor<13x24xf32> {
  %r = loop.stage neg [i: 13, j: 24] (%x = %A[i, j]) -> [i, j] {
    %m = arith.negf %x : f32
    loop.yield %m : f32
  }
  func.return %r : tensor<13x24xf32>
}
