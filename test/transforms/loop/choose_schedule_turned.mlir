// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/wide.toml}" | FileCheck %s
// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/wide.toml},apply-schedule,lower-loop" | FileCheck %s --check-prefix=RUNS
// Few rows, and a result that is contiguous along an axis of the lanes' operand: tiles of both are turned in registers.

// CHECK: func.func @rows({{.*}} attributes {loop.schedule = "loop-nest{axis=i only=mm},loop-tile{axis=j size=16 only=mm},loop-tile{axis=k size=16 only=mm},loop-nest{axis=l only=mm},loop-reorder{axes=k,j only=mm},loop-vectorize{axes=k,j only=mm}"}
// RUNS: func.func @rows
// RUNS: vector.transpose {{.*}} : vector<16x16xf32> to vector<16x16xf32>
func.func @rows(%A: tensor<4x6xf32>, %B: tensor<6x14x56x64xf32>) -> tensor<64x14x4x56xf32> {
  %y = loop.stage mm [j: 64, i: 14, l: 4, k: 56, o: 6] (%a = %A[l, o], %b = %B[o, i, k, j]) -> add [j, i, l, k] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %y : tensor<64x14x4x56xf32>
}

// What follows shares the tile.
// CHECK: func.func @followed({{.*}}loop-vectorize{axes=k,j only=mm,bias}"}
// RUNS: func.func @followed
func.func @followed(%A: tensor<4x6xf32>, %B: tensor<6x14x56x64xf32>, %c: tensor<64xf32>) -> tensor<64x14x4x56xf32> {
  %y = loop.stage mm [j: 64, i: 14, l: 4, k: 56, o: 6] (%a = %A[l, o], %b = %B[o, i, k, j]) -> add [j, i, l, k] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  %z = loop.stage bias [j: 64, i: 14, l: 4, k: 56] (%a = %y[j, i, l, k], %b = %c[j]) -> [j, i, l, k] {
    %s = arith.addf %a, %b : f32
    loop.yield %s : f32
  }
  func.return %z : tensor<64x14x4x56xf32>
}

// Many rows pay for a copy whose lanes are contiguous in the result.
// CHECK: func.func @many({{.*}}loop-pack{value=B
// RUNS: func.func @many
func.func @many(%A: tensor<64x6xf32>, %B: tensor<6x14x56x64xf32>) -> tensor<64x14x64x56xf32> {
  %y = loop.stage mm [j: 64, i: 14, l: 64, k: 56, o: 6] (%a = %A[l, o], %b = %B[o, i, k, j]) -> add [j, i, l, k] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %y : tensor<64x14x64x56xf32>
}
