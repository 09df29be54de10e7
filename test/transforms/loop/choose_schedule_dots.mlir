// RUN: mlc-opt %s -p "choose-schedule{machine=%S/wide_dots.toml}" | FileCheck %s
// RUN: mlc-opt %s -p "choose-schedule{machine=%S/wide.toml}" | FileCheck %s --check-prefix=PLAIN
// Bytes of one sign: the lanes' operand changes its own, and both lie in words of four.

func.func @mm(%A: tensor<64x256xi8>, %B: tensor<256x512xi8>) -> tensor<64x512xi32> {
  %c = loop.stage mm [i: 64, j: 512, k: 256] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %x = arith.extsi %a : i8 to i32
    %y = arith.extsi %b : i8 to i32
    %p = arith.muli %x, %y : i32
    loop.yield %p : i32
  }
  func.return %c : tensor<64x512xi32>
}

// CHECK: loop.schedule = "loop-offset{value=B only=mm},
// CHECK-SAME: loop-split{axis=k size=4 only=mm},loop-tile{axis=j size={{[0-9]+}} only=mm,mm_offset},
// CHECK-SAME: loop-pack{value=B axes=k0,j,k convert=true narrow=true only=mm},
// CHECK-SAME: loop-reorder{axes=k,j only=pack_B},loop-vectorize{axes=k,j only=pack_B},
// CHECK-SAME: loop-tile{axis=i size={{[0-9]+}} only=mm,mm_offset},
// CHECK-SAME: loop-reorder{axes=i,j,k only=mm},loop-vectorize{axes=i,j,k only=mm},
// CHECK-SAME: loop-reorder{axes=i,j only=mm_offset},loop-vectorize{axes=i,j only=mm_offset}"
// PLAIN-NOT: loop-offset
// PLAIN: loop-pack{value=B axes=k,j convert=true only=mm}
