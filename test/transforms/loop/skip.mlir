// RUN: mlc-opt %s -p "loop-tile{axis=i size=8},loop-tile{axis=k size=16 only=mask},loop-tile{axis=k size=16 only=max},loop-tile{axis=k size=16 only=exp},loop-tile{axis=k size=16 only=mm},loop-skip" | FileCheck %s
// RUN: mlc-opt %s -p "loop-tile{axis=i size=8},loop-tile{axis=k size=16 only=mask},loop-tile{axis=k size=16 only=max},loop-tile{axis=k size=16 only=exp},loop-tile{axis=k size=16 only=mm},loop-skip{only=mask,max}" | FileCheck %s --check-prefix=SOME
// RUN: mlc-opt %s -p "loop-tile{axis=i size=8},loop-tile{axis=k size=16 only=mask},loop-tile{axis=k size=16 only=max},loop-tile{axis=k size=16 only=exp},loop-skip" | FileCheck %s --check-prefix=READ
// RUN: mlc-run %s -p "loop-tile{axis=i size=8},loop-tile{axis=k size=16 only=mask},loop-tile{axis=k size=16 only=max},loop-tile{axis=k size=16 only=exp},loop-tile{axis=k size=16 only=mm},loop-skip" --check-each | FileCheck %s --check-prefix=SAME
// Loops end where what follows is -inf, 0 or the combiner's identity; one of whose results more is read goes on.

func.func @main(%x: tensor<64x64xf32>, %v: tensor<64x4xf32>) -> tensor<64x4xf32> {
  %s = loop.stage mask [i: 64, k: 64] (%a = %x[i, k]) -> [i, k] {
    %n = arith.constant 0xff800000 : f32
    %p = loop.index i : index
    %q = loop.index k : index
    %r = arith.cmpi sge, %p, %q : index
    %b = arith.select %r, %a, %n : f32
    loop.yield %b : f32
  }
  %m = loop.stage max [i: 64, k: 64] (%c = %s[i, k]) -> max [i] {
    loop.yield %c : f32
  }
  %e = loop.stage exp [i: 64, k: 64] (%d = %s[i, k], %t = %m[i]) -> [i, k] {
    %f = arith.subf %d, %t : f32
    %g = math.exp %f : f32
    loop.yield %g : f32
  }
  %y = loop.stage mm [i: 64, l: 4, k: 64] (%h = %e[i, k], %w = %v[k, l]) -> add [i, l] {
    %o = arith.mulf %h, %w : f32
    loop.yield %o : f32
  }
  func.return %y : tensor<64x4xf32>
}

// CHECK: loop.for i0 = 64 step 8 -> [i0, 0] {
// CHECK: %s = loop.for k0 = 64 step 16 while i0 - k0 + 8 > 0 -> [0, k0] {
// CHECK: %m = loop.for k0 = 64 step 16 while i0 - k0 + 8 > 0 -> max [0] {
// CHECK: %e = loop.for k0 = 64 step 16 while i0 - k0 + 8 > 0 -> [0, k0] {
// CHECK: loop.for k0 = 64 step 16 while i0 - k0 + 8 > 0 -> add [0, 0] {

// SOME: %s = loop.for k0 = 64 step 16 -> [0, k0] {
// SOME: %m = loop.for k0 = 64 step 16 while i0 - k0 + 8 > 0 -> max [0] {
// SOME: %e = loop.for k0 = 64 step 16 -> [0, k0] {

// READ: %s = loop.for k0 = 64 step 16 -> [0, k0] {
// READ: %m = loop.for k0 = 64 step 16 while i0 - k0 + 8 > 0
// READ: %e = loop.for k0 = 64 step 16 -> [0, k0] {
// READ: loop.stage mm

// SAME: same after pass loop-skip
