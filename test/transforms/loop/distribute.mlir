// RUN: mlc-opt %s --split-input-file -p "loop-distribute{axis=j threads=128 lanes=4}" | FileCheck %s
// RUN: mlc-opt %s --split-input-file -p "loop-distribute{axis=j threads=128 lanes=4 rounds=loop}" | FileCheck %s --check-prefix=LOOP
// RUN: mlc-opt %s --split-input-file -p "loop-distribute{axis=i threads=8 kind=warp only=m},loop-distribute{axis=j threads=32 kind=lane only=m rounds=loop}" | FileCheck %s --check-prefix=WARP
// An axis is rounds over the threads, each of which takes neighbours; an extent of one is left out.

func.func @rows(%x: tensor<8x1024xf32>, %w: tensor<1024xf32>) -> (tensor<8xf32>, tensor<8x1024xf32>) {
  %m = loop.stage m [i: 8, j: 1024] (%a = %x[i, j], %b = %w[j]) -> add [i] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  %y = loop.stage y [i: 8, j: 1024] (%a = %x[i, j], %s = %m[i]) -> [i, j] {
    %p = arith.mulf %a, %s : f32
    loop.yield %p : f32
  }
  func.return %m, %y : tensor<8xf32>, tensor<8x1024xf32>
}

// CHECK: loop.stage m [i: 8, j0: vec 2, j1: thread 128, j: vec 4] (%a = %x[i, 512 * j0 + 4 * j1 + j], %b = %w[512 * j0 + 4 * j1 + j]) -> add [i]
// CHECK: loop.stage y [i: 8, j0: vec 2, j1: thread 128, j: vec 4] (%a_1 = %x[i, 512 * j0 + 4 * j1 + j], %s = %m[i]) -> [i, 512 * j0 + 4 * j1 + j]
// LOOP: loop.stage m [i: 8, j0: 2, j1: thread 128, j: vec 4]
// WARP: loop.stage m [i1: warp 8, j0: 32, j1: lane 32] (%a = %x[i1, 32 * j0 + j1], %b = %w[32 * j0 + j1]) -> add [i1]
// WARP: loop.stage y [i: 8, j: 1024]
// RUN: mlc-opt %s --split-input-file -p "loop-distribute{axis=j kind=sweep lanes=4}" | FileCheck %s --check-prefix=SWEEP
// SWEEP: loop.stage m [i: 8, j1: sweep 256, j: vec 4] (%a = %x[i, 4 * j1 + j], %b = %w[4 * j1 + j]) -> add [i]
