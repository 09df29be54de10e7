// RUN: mlc-opt %s -p "loop-fragment{rows=i columns=j warps=2,4 only=mm,epi}" | FileCheck %s
// RUN: mlc-opt %s -p "loop-fragment{rows=i columns=j warps=1,1 only=epi}" | FileCheck %s --check-prefix=ONE
// Warps along both axes, tiles of 8, lanes of 8 rows and of 4 pairs of columns.

func.func @f(%A: tensor<128x32xbf16>, %B: tensor<32x64xbf16>) -> tensor<128x64xf32> {
  %c = loop.stage mm [i: 128, j: 64, k: 32] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %x = arith.extf %a : bf16 to f32
    %y = arith.extf %b : bf16 to f32
    %p = arith.mulf %x, %y : f32
    loop.yield %p : f32
  }
  %e = loop.stage epi [i: 128, j: 64] (%s = %c[i, j]) -> [i, j] {
    %t = arith.addf %s, %s : f32
    loop.yield %t : f32
  }
  func.return %e : tensor<128x64xf32>
}

// CHECK: loop.stage mm [i0: warp 2, i1: vec 8, i: lane 8, j0: warp 4, j1: vec 2, j2: lane 4, j: vec 2, k: 32] (%a = %A[64 * i0 + 8 * i1 + i, k], %b = %B[k, 16 * j0 + 8 * j1 + 2 * j2 + j]) -> add [64 * i0 + 8 * i1 + i, 16 * j0 + 8 * j1 + 2 * j2 + j]
// CHECK: loop.stage epi [i0: warp 2, i1: vec 8, i: lane 8, j0: warp 4, j1: vec 2, j2: lane 4, j: vec 2]
// ONE: loop.stage epi [i1: vec 16, i: lane 8, j1: vec 8, j2: lane 4, j: vec 2]
