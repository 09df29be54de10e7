// RUN: mlc-opt %s -p lower-loop | FileCheck %s
// A row is read by vectors at a scalar position, which is computed outside of its loop.

// CHECK-LABEL: func.func @rows
// CHECK: scf.for %i
// CHECK: memref.load %K
// CHECK: %p = arith.index_castui
// CHECK: scf.for %j0
// CHECK: vector.transfer_read %T[%p, {{.*}} vector<16xf32>
func.func @rows(%T: tensor<6x64xf32>, %K: tensor<5xi32>) -> tensor<5x64xf32> {
  %r = loop.stage rows [i: 5, j0: 4, j: vec 16] (%k = %K[i], %t = %T[...]) -> [i, 16 * j0 + j] {
    %c5 = arith.constant 5 : i32
    %in = arith.minui %k, %c5 : i32
    %p = arith.index_castui %in : i32 to index
    %c = loop.index 16 * j0 + j : index
    %v = loop.load %t[%p, %c]
    loop.yield %v : f32
  }
  func.return %r : tensor<5x64xf32>
}

// Positions that differ from lane to lane are distances in flat memory.
// CHECK-LABEL: func.func @columns
// CHECK: vector.transfer_read %K[%c0], {{.*}} vector<16xi32>
// CHECK: arith.muli %p, {{.*}} : vector<16xindex>
// CHECK: memref.reinterpret_cast %T to offset: [%c0], sizes: [384], strides: [1]
// CHECK: vector.gather {{.*}}[{{.*}}] [{{.*}}], {{.*}} : memref<384xf32, strided<[1], offset: ?>>, vector<16xindex>
func.func @columns(%T: tensor<6x64xf32>, %K: tensor<16xi32>) -> tensor<64x16xf32> {
  %r = loop.stage columns [j: 64, i: vec 16] (%k = %K[i], %t = %T[...]) -> [j, i] {
    %c5 = arith.constant 5 : i32
    %in = arith.minui %k, %c5 : i32
    %p = arith.index_castui %in : i32 to index
    %c = loop.index j : index
    %v = loop.load %t[%p, %c]
    loop.yield %v : f32
  }
  func.return %r : tensor<64x16xf32>
}

// Rows are updated by vectors, where the update counts at all.
// CHECK-LABEL: func.func @scatter
// CHECK: vector.transfer_write {{.*}}, %out0
// CHECK: scf.if %ok
// CHECK: scf.for %j_block = %c0 to %c2
// CHECK: vector.transfer_read %out0[%p, {{.*}} vector<32xf32>
// CHECK: arith.addf {{.*}} vector<32xf32>
// CHECK: vector.transfer_write {{.*}}, %out0[%p,
// CHECK: vector.transfer_write {{.*}}, %out0[%p, %c64] {{.*}} vector<6xf32>
func.func @scatter(%x: tensor<6x70xf32>, %U: tensor<5x70xf32>, %K: tensor<5xi32>) -> tensor<6x70xf32> {
  %r = loop.scatter add rows [i: 5, j: 70] (%k = %K[i], %u = %U[i, j]) into %x {
    %c5 = arith.constant 5 : i32
    %ok = arith.cmpi ule, %k, %c5 : i32
    %p = arith.index_castui %k : i32 to index
    %c = loop.index j : index
    loop.yield %u, %p, %c, %ok : f32, index, index, i1
  }
  func.return %r : tensor<6x70xf32>
}
