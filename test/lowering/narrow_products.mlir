// RUN: mlc-opt %s -p "loop-split{axis=k size=4 only=mm},loop-pack{value=B axes=k0,j,k only=mm},loop-reorder{axes=k,j only=pack_B},loop-vectorize{axes=k,j only=pack_B},loop-vectorize{axes=i,j,k only=mm},lower-loop" | FileCheck %s
// A sum over the last vec axis of products of bytes is a contraction; the packed bytes take turns.

func.func @mm(%A: tensor<12x64xi8>, %B: tensor<64x32xi8>) -> tensor<12x32xi32> {
  %c = loop.stage mm [i: 12, j: 32, k: 64] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %x = arith.extsi %a : i8 to i32
    %y = arith.extui %b : i8 to i32
    %p = arith.muli %x, %y : i32
    loop.yield %p : i32
  }
  func.return %c : tensor<12x32xi32>
}

// CHECK-LABEL: func.func @mm
// CHECK: [[ROWS:%[0-9]+]] = vector.transfer_read %B{{.*}} : memref<64x32xi8>, vector<4x32xi8>
// CHECK: vector.transfer_write [[ROWS]], %pack_B[%k0, %c0, %c0] {{.*}}permutation_map = affine_map<(d0, d1, d2) -> (d2, d1)>{{.*}} : vector<4x32xi8>, memref<16x32x4xi8>
// CHECK: scf.for {{.*}} iter_args([[ACC:%[0-9]+]] = {{.*}}) -> (vector<12x32xi32>) {
// CHECK:   %a = vector.transfer_read %A{{.*}} : memref<12x64xi8>, vector<12x4xi8>
// CHECK:   [[X:%[0-9]+]] = arith.extsi %a : vector<12x4xi8> to vector<12x4xi32>
// CHECK:   %b = vector.transfer_read %pack_B{{.*}} : memref<16x32x4xi8>, vector<32x4xi8>
// CHECK:   [[Y:%[0-9]+]] = arith.extui %b : vector<32x4xi8> to vector<32x4xi32>
// CHECK:   vector.contract {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} [[X]], [[Y]], [[ACC]] : vector<12x4xi32>, vector<32x4xi32> into vector<12x32xi32>
