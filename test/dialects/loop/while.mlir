// RUN: mlc-opt %s | mlc-opt - | FileCheck %s
// RUN: mlc-opt %s -p lower-loop | FileCheck %s --check-prefix=LOWER
// RUN: mlc-run %s --check-each | FileCheck %s --check-prefix=SAME
// A loop leaves out the iterations at which a form that falls along its axis is not positive. What they would have
// placed is missing: a reader ends as early.

func.func @main(%x: tensor<64x64xf32>) -> tensor<64xf32> {
  %y = loop.for i0 = 64 step 8 -> [i0] {
    // CHECK: %s = loop.for k0 = 64 step 16 while i0 - k0 + 8 > 0 -> [0, k0] {
    %s = loop.for k0 = 64 step 16 while i0 - k0 + 8 > 0 -> [0, k0] {
      %t = loop.stage square [i: 8, k: 16] (%a = %x[i + i0, k + k0]) -> [i, k] {
        %b = arith.mulf %a, %a : f32
        loop.yield %b : f32
      }
      loop.yield %t : tensor<8x16xf32>
    }
    // CHECK: %p = loop.for k1 = 8 while -8 * k1 + i0 + 8 > 0 -> add [0] {
    %p = loop.for k1 = 8 while i0 - 8 * k1 + 8 > 0 -> add [0] {
      %q = loop.stage sum [i: 8, k: 8] (%c = %s[i, 8 * k1 + k]) -> add [i] {
        loop.yield %c : f32
      }
      loop.yield %q : tensor<8xf32>
    }
    loop.yield %p : tensor<8xf32>
  }
  func.return %y : tensor<64xf32>
}

// The ends are i0 + 8, and (i0 + 8 + 7) / 8 rounded down.
// LOWER: [[E:%.*]] = affine.apply affine_map<(d0) -> ((d0 + 8))> (%i0)
// LOWER: [[M:%.*]] = arith.minsi [[E]], %c64 : index
// LOWER: scf.for %k0 = %c0 to [[M]] step %c16
// LOWER: [[F:%.*]] = affine.apply affine_map<(d0) -> ((d0 + 15))> (%i0)
// LOWER: [[G:%.*]] = arith.floordivsi [[F]], %c8 : index
// LOWER: [[N:%.*]] = arith.minsi [[G]], %c8 : index
// LOWER: scf.for %k1 = %c0 to [[N]] step %c1

// SAME: same after pass lower-loop
