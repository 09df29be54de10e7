// RUN: mlc-opt %s -p 'loop-tile{axis=i size=4},loop-tile{axis=j size=16},loop-vectorize{axes=j}' | FileCheck %s
// RUN: not mlc-opt %s -p 'loop-pack{value=T axes=i,j}' 2>&1 | FileCheck %s --check-prefix=PACK
// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/wide.toml}" | FileCheck %s --check-prefix=CHOSEN
// Steps move coordinates, which positions are made of; what is read anywhere cannot be copied piece by piece, nor share
// a loop with the statement that makes it.

// CHECK-LABEL: func.func @rows
// CHECK: loop.for i0 = 10 step 4 clamp -> [i0, 0] {
// CHECK: loop.for j0 = 64 step 16 -> [0, j0] {
// CHECK: loop.stage rows [i: 4, j: vec 16] (%k = %K[i + i0], %t = %T[...]) -> [i, j] {
// CHECK: %c = loop.index j + j0 : index
// CHECK: loop.load %t[%p, %c]
// PACK: loop-pack: stage rows: expected %T to be read at indices over axes, found loop.load of it
// CHOSEN: loop-vectorize{axes=j only=rows}
func.func @rows(%T: tensor<6x64xf32>, %K: tensor<10xi32>) -> tensor<10x64xf32> {
  %r = loop.stage rows [i: 10, j: 64] (%k = %K[i], %t = %T[...]) -> [i, j] {
    %c5 = arith.constant 5 : i32
    %in = arith.minui %k, %c5 : i32
    %p = arith.index_castui %in : i32 to index
    %c = loop.index j : index
    %v = loop.load %t[%p, %c]
    loop.yield %v : f32
  }
  func.return %r : tensor<10x64xf32>
}

// CHECK-LABEL: func.func @made
// CHECK: loop.for i0 = 64 step 4 -> [i0] {
// CHECK: loop.stage exp
// CHECK: loop.for i0 = 64 step 4 -> [i0] {
// CHECK: loop.stage take
func.func @made(%x: tensor<64xf32>, %K: tensor<64xi8>) -> tensor<64xf32> {
  %e = loop.stage exp [i: 64] (%a = %x[i]) -> [i] {
    %v = math.exp %a : f32
    loop.yield %v : f32
  }
  %r = loop.stage take [i: 64] (%k = %K[i], %t = %e[...]) -> [i] {
    %c63 = arith.constant 63 : i8
    %in = arith.minui %k, %c63 : i8
    %p = arith.index_castui %in : i8 to index
    %v = loop.load %t[%p]
    loop.yield %v : f32
  }
  func.return %r : tensor<64xf32>
}
