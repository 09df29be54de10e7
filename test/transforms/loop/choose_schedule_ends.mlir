// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/wide.toml}" | FileCheck %s
// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/wide.toml},apply-schedule,lower-loop" | FileCheck %s --check-prefix=RUNS
// How lanes are cut that no tile divides: by the vectors that all tiles take.

// Three tiles of 33, 32 and 32 lanes are seven vectors.
// CHECK: func.func @balanced({{.*}} attributes {loop.schedule = "loop-tile{axis=j size=33 balanced=true only=mm},
// RUNS: func.func @balanced
func.func @balanced(%A: tensor<97x97xf32>, %B: tensor<97x97xf32>) -> tensor<97x97xf32> {
  %acc = loop.stage mm [i: 97, j: 97, k: 97] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<97x97xf32>
}

// Five tiles of 48 lanes and one of 17 are seventeen vectors, six clamped ones would be eighteen.
// CHECK: func.func @cut({{.*}} attributes {loop.schedule = "loop-tile{axis=j size=48 clamp=false only=mm},
// RUNS: func.func @cut
// RUNS: vector<9x17xf32>
func.func @cut(%A: tensor<261x60xf32>, %B: tensor<60x257xf32>) -> tensor<261x257xf32> {
  %acc = loop.stage mm [i: 261, j: 257, k: 60] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<261x257xf32>
}

// The last of seven tiles of 48 lanes begins earlier: all are 21 vectors, as few as there can be.
// CHECK: func.func @clamped({{.*}} attributes {loop.schedule = "loop-tile{axis=j size=48 only=mm},
// RUNS: func.func @clamped
func.func @clamped(%A: tensor<261x60xf32>, %B: tensor<60x333xf32>) -> tensor<261x333xf32> {
  %acc = loop.stage mm [i: 261, j: 333, k: 60] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<261x333xf32>
}

// A panel that the first cache does not hold, read by many rows: packed.
// CHECK: func.func @packed({{.*}}loop-pack{value=B axes=k,j first=true only=mm}
// RUNS: func.func @packed
func.func @packed(%A: tensor<256x256xf32>, %B: tensor<256x256xf32>) -> tensor<256x256xf32> {
  %acc = loop.stage mm [i: 256, j: 256, k: 256] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<256x256xf32>
}

// One that it holds is read as it lies.
// CHECK: func.func @near({{.*}} attributes {loop.schedule = "loop-tile{axis=j size=80 only=mm},loop-tile{axis=i
// RUNS: func.func @near
func.func @near(%A: tensor<160x32xf32>, %B: tensor<32x160xf32>) -> tensor<160x160xf32> {
  %acc = loop.stage mm [i: 160, j: 160, k: 32] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<160x160xf32>
}

// Few rows do not pay for a copy: lines of a panel that the first cache does not hold are asked for ahead.
// CHECK: func.func @ahead({{.*}}loop-tile{axis=j size={{[0-9]+}} only=mm},loop-vectorize{axes=i,j only=mm},loop-prefetch{value=B distance=24576 only=mm}"}
// RUNS: func.func @ahead
// RUNS: mlc.prefetch = 24576
func.func @ahead(%A: tensor<8x768xf32>, %B: tensor<768x768xf32>) -> tensor<8x768xf32> {
  %acc = loop.stage mm [i: 8, j: 768, k: 768] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<8x768xf32>
}
