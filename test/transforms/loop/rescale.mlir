// RUN: mlc-opt %s -p "loop-split{axis=k size=16},loop-rescale{axis=k0}" | FileCheck %s
// RUN: mlc-run %s -p "loop-split{axis=k size=16},loop-rescale{axis=k0}" --check-each | FileCheck %s --check-prefix=SAME
// RUN: mlc-run %s -p "loop-split{axis=k size=16},loop-rescale{axis=k0},loop-tile{axis=i size=4 only=max,running,exp,exp_so_far,mm,mm_so_far},loop-vectorize{axes=l}" --check-each | FileCheck %s --check-prefix=LOW
// RUN: not mlc-opt %s -p "loop-split{axis=k size=16},loop-rescale{axis=i}" 2>&1 | FileCheck %s --check-prefix=ROWS
// RUN: not mlc-opt %s -p "loop-split{axis=k size=16},loop-rescale{axis=k0 only=max,exp}" 2>&1 | FileCheck %s --check-prefix=OUTSIDE
// Blocks of a softmax and of the sums of its exponentials: the greatest so far is carried, and sums that follow it.

func.func @main(%x: tensor<8x64xf32>, %v: tensor<64x4xf32>) -> tensor<8x4xf32> {
  %m = loop.stage max [i: 8, k: 64] (%a = %x[i, k]) -> max [i] {
    loop.yield %a : f32
  }
  %e, %s = loop.stage exp [i: 8, k: 64] (%b = %x[i, k], %t = %m[i]) -> [i, k], add [i] {
    %c = arith.subf %b, %t : f32
    %d = math.exp %c : f32
    loop.yield %d, %d : f32, f32
  }
  %y = loop.stage mm [i: 8, l: 4, k: 64] (%f = %e[i, k], %w = %v[k, l]) -> add [i, l] {
    %g = arith.mulf %f, %w : f32
    loop.yield %g : f32
  }
  %z = loop.stage div [i: 8, l: 4] (%h = %y[i, l], %r = %s[i]) -> [i, l] {
    %o = arith.divf %h, %r : f32
    loop.yield %o : f32
  }
  func.return %z : tensor<8x4xf32>
}

// CHECK: loop.stage max_first [i: 8] () -> [i]
// CHECK: loop.stage exp_first [i: 8] () -> [i]
// CHECK: loop.stage mm_first [i: 8, l: 4] () -> [i, l]
// CHECK: loop.for k0 = 4 with ({{.*}}) -> carry [0], carry [0], carry [0, 0] attributes {loop.rescaled} {
// CHECK: loop.stage max [i: 8, k: 16] (%a = %x[i, 16 * k0 + k]) -> max [i]
// CHECK: [[TOP:%.*]], [[SHIFT:%.*]], [[FACTOR:%.*]] = loop.stage running [i: 8]
// CHECK: loop.stage exp [i: 8, k: 16] (%b = %x[i, 16 * k0 + k], %t = [[SHIFT]][i]) -> [i, k], add [i]
// CHECK: [[S:%.*]] = loop.stage exp_so_far [i: 8] ({{.*}}, {{.*}} = [[FACTOR]][i], {{.*}}) -> [i]
// CHECK: loop.stage mm [i: 8, l: 4, k: 16] ({{.*}}, %w = %v[16 * k0 + k, l]) -> add [i, l]
// CHECK: [[Y:%.*]] = loop.stage mm_so_far [i: 8, l: 4] ({{.*}}, {{.*}} = [[FACTOR]][i], {{.*}}) -> [i, l]
// CHECK: loop.yield [[TOP]], [[S]], [[Y]]
// CHECK: [[LAST:%.*]] = loop.stage running_rescaled [i: 8]
// CHECK: loop.stage exp_rescaled [i: 8] ({{.*}}, {{.*}} = [[LAST]][i]) -> [i]
// CHECK: loop.stage mm_rescaled [i: 8, l: 4]
// CHECK: loop.stage div [i: 8, l: 4]

// SAME: same after pass loop-rescale
// LOW: same after pass loop-tile{{.*}}
// LOW: same after pass loop-vectorize

// ROWS: error: loop-rescale: stage max: expected one maximum and one exponential along i
// OUTSIDE: error: loop-rescale: stage exp: expected results that the blocks alone read
