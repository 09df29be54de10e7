// RUN: mlc-opt %s -p "loop-tile{axis=i size=8 kind=block},loop-tile{axis=j size=8 kind=block},loop-raster{loop=i0 rows=2}" | FileCheck %s
// RUN: mlc-opt %s -p "loop-tile{axis=i size=8 kind=block},loop-tile{axis=j size=8 kind=block},loop-raster{loop=i0 rows=2},lower-loop{launch=true}" | FileCheck %s --check-prefix=LOWER
// RUN: mlc-run %s --entry=main --check-each -p "graph-wrap,graph-plan,loop-tile{axis=i size=8 kind=block},loop-tile{axis=j size=8 kind=block},loop-raster{loop=i0 rows=2},lower-loop{launch=true},insert-barriers" 2>&1 | FileCheck %s --check-prefix=SAME
// The last group of 5 rows of tiles has one row.

func.func @main(%x: tensor<40x24xf32>) -> tensor<40x24xf32> {
  %y = loop.stage y [i: 40, j: 24] (%a = %x[i, j]) -> [i, j] {
    %b = arith.addf %a, %a : f32
    loop.yield %b : f32
  }
  func.return %y : tensor<40x24xf32>
}

// CHECK: loop.for i0 = 40 step 8 block -> [i0, 0] attributes {loop.group = 2 : i64} {
// CHECK-NEXT: loop.for j0 = 24 step 8 block
// LOWER: gpu.launch blocks(%bx, %by, %bz) in (%gx = %c15
// SAME: same after pass lower-loop{launch=true}
