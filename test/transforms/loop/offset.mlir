// RUN: mlc-opt %s -p "loop-offset{value=B},loop-pack{value=B axes=k,j convert=true narrow=true only=mm}" | FileCheck %s
// Bytes without a sign instead of bytes with one, and what that adds to the sum of products taken back.

func.func @mm(%A: tensor<8x256xi8>, %B: tensor<256x64xi8>) -> tensor<8x64xi32> {
  %c = loop.stage mm [i: 8, j: 64, k: 256] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %x = arith.extsi %a : i8 to i32
    %y = arith.extsi %b : i8 to i32
    %p = arith.muli %x, %y : i32
    loop.yield %p : i32
  }
  func.return %c : tensor<8x64xi32>
}

// CHECK-LABEL: func.func @mm(%A: tensor<8x256xi8>, %B: tensor<256x64xi8>) -> tensor<8x64xi32>
// CHECK: %mm_sum = loop.stage mm_sum [i: 8, k: 256] (%0 = %A[i, k]) -> add [i] {
// CHECK:   %x = arith.extsi %0 : i8 to i32
// CHECK:   loop.yield %x : i32
// CHECK: %pack_B = loop.stage pack_B [k: 256, j: 64] (%b = %B[k, j]) -> [k, j] {
// CHECK:   [[FLIP:%[0-9]+]] = arith.xori %b, {{%[0-9]+}} : i8
// CHECK:   loop.yield [[FLIP]] : i8
// CHECK: %mm = loop.stage mm [i: 8, j: 64, k: 256] (%a = %A[i, k], [[B:%[0-9]+]] = %pack_B[k, j]) -> add [i, j] {
// CHECK:   [[X:%x_[0-9]+]] = arith.extsi %a : i8 to i32
// CHECK:   %y = arith.extui [[B]] : i8 to i32
// CHECK:   %p = arith.muli [[X]], %y : i32
// CHECK: %c = loop.stage mm_offset [i: 8, j: 64] ([[T:%[0-9]+]] = %mm[i, j], [[S:%[0-9]+]] = %mm_sum[i]) -> [i, j] {
// CHECK:   [[HALF:%[0-9]+]] = arith.constant -128 : i32
// CHECK:   [[PART:%[0-9]+]] = arith.muli [[S]], [[HALF]] : i32
// CHECK:   arith.addi [[T]], [[PART]] : i32
// CHECK: func.return %c : tensor<8x64xi32>
