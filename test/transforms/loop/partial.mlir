// RUN: mlc-opt %s -p "loop-partial{axis=j parts=8}" | FileCheck %s
// RUN: mlc-opt %s -p "loop-partial{axis=j parts=24 multiple=4}" | FileCheck %s --check-prefix=REST
// RUN: mlc-opt %s -p "loop-partial{axis=j parts=1000}" | FileCheck %s --check-prefix=POINTS
// RUN: not mlc-opt %s -p "loop-partial{axis=i parts=2}" 2>&1 | FileCheck %s --check-prefix=SPREAD
// RUN: not mlc-opt %s -p "loop-partial{axis=j parts=1001}" 2>&1 | FileCheck %s --check-prefix=MANY
// Parts are reduced by themselves, then combined; what is left over is a stage of its own. Other results stay.

func.func @sums(%x: tensor<4x1000xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4x1000xf32>) {
  %m, %s, %y = loop.stage m [i: 4, j: 1000] (%a = %x[i, j]) -> max [i], add [i], [i, j] {
    %p = arith.mulf %a, %a : f32
    loop.yield %a, %p, %p : f32, f32, f32
  }
  func.return %m, %s, %y : tensor<4xf32>, tensor<4xf32>, tensor<4x1000xf32>
}

// CHECK: %m_parts, %s_parts, %y = loop.stage m [i: 4, j0: 8, j: 125] (%a = %x[i, 125 * j0 + j]) -> max [i, j0], add [i, j0], [i, 125 * j0 + j]
// CHECK: %m, %s = loop.stage m_total [i: 4, j0: 8] ([[A:%.*]] = %m_parts[i, j0], [[B:%.*]] = %s_parts[i, j0]) -> max [i], add [i] {
// CHECK-NEXT: loop.yield [[A]], [[B]] : f32, f32
// CHECK: func.return %m, %s, %y

// REST: loop.stage m [i: 4, j0: 24, j: 40]
// REST: loop.stage m_total [i: 4, j0: 24]
// REST: loop.stage m_tail [i: 4, j: 40] ({{.*}} = %x[i, j + 960]) -> max [i], add [i], [i, j]
// REST: loop.stage m_rest [i: 4]
// REST: loop.join (%y at [0, 0], {{.*}} at [0, 960])

// POINTS: loop.stage m [i: 4, j0: 1000] (%a = %x[i, j0]) -> max [i, j0], add [i, j0], [i, j0]

// SPREAD: error: loop-partial: stage m: expected axis i to be reduced, found a result over it
// MANY: error: loop-partial: stage m: expected axis j to have 1001 parts of 1 points at least, found an extent of 1000
