// RUN: mlc-opt %s -p 'set-schedule{steps="loop-vectorize{axes=i}"}' | FileCheck %s
// RUN: mlc-opt %s -p 'set-schedule{steps="loop-vectorize{axes=i}"},apply-schedule' | FileCheck %s --check-prefix=APPLIED
// RUN: not mlc-opt %s -p 'set-schedule{steps="cse"}' 2>&1 | FileCheck %s --check-prefix=WRONG

// CHECK: func.func @free({{.*}} attributes {loop.schedule = "loop-vectorize{axes=i}", loop.schedule_from = "user"}
// CHECK: func.func @own({{.*}} attributes {loop.schedule = ""}
// APPLIED: loop.stage s [i: vec 64]
// APPLIED: loop.stage s [i: 64]
// WRONG: error: schedule: expected steps of the loop level, found cse
func.func @free(%x: tensor<64xf32>) -> tensor<64xf32> {
  %y = loop.stage s [i: 64] (%a = %x[i]) -> [i] {
    loop.yield %a : f32
  }
  func.return %y : tensor<64xf32>
}
func.func @own(%x: tensor<64xf32>) -> tensor<64xf32> attributes {loop.schedule = ""} {
  %y = loop.stage s [i: 64] (%a = %x[i]) -> [i] {
    loop.yield %a : f32
  }
  func.return %y : tensor<64xf32>
}
