// RUN: mlc-opt %s -p lower-loop | FileCheck %s
// Where values live: whole ones in registers, also through loops; a row where its last reader writes; memory elsewhere.

// CHECK-LABEL: func.func @register_tile(%A: memref<6x32xf32>, %B: memref<32x64xf32>, %out0: memref<6x64xf32>)
// CHECK-NOT: memref.alloc
// CHECK: %acc = scf.for %k0 = %c0 to %c32 step %c8 iter_args(%{{.*}} = %{{.*}}) -> (vector<6x64xf32>) {
// CHECK: scf.for %k = %c0 to %c8 step %c1 iter_args({{.*}}) -> (vector<6x64xf32>) {
// CHECK: vector.transfer_write %acc, %out0[%c0, %c0] {in_bounds = [true, true]} : vector<6x64xf32>, memref<6x64xf32>
func.func @register_tile(%A: tensor<6x32xf32>, %B: tensor<32x64xf32>) -> tensor<6x64xf32> {
  %acc = loop.for k0 = 32 step 8 -> add [0, 0] {
    %part = loop.stage mm [i: vec 6, j: vec 64, k: 8] (%a = %A[i, k + k0], %b = %B[k + k0, j]) -> add [i, j] {
      %p = arith.mulf %a, %b : f32
      loop.yield %p : f32
    }
    loop.yield %part : tensor<6x64xf32>
  }
  func.return %acc : tensor<6x64xf32>
}

// CHECK-LABEL: func.func @truth(%x: memref<16xi8>, %out0: memref<16xi8>)
// CHECK: %[[BYTES:.*]] = vector.transfer_read %x[%c0], %{{.*}} {in_bounds = [true]} : memref<16xi8>, vector<16xi8>
// CHECK: %a = arith.trunci %[[BYTES]] : vector<16xi8> to vector<16xi1>
// CHECK: %[[OUT:.*]] = arith.extui %b : vector<16xi1> to vector<16xi8>
// CHECK: vector.transfer_write %[[OUT]], %out0[%c0]
func.func @truth(%x: tensor<16xi1>) -> tensor<16xi1> {
  %y = loop.stage not [i: vec 16] (%a = %x[i]) -> [i] {
    %true = arith.constant true
    %b = arith.xori %a, %true : i1
    loop.yield %b : i1
  }
  func.return %y : tensor<16xi1>
}

// CHECK-LABEL: func.func @strides(%x: memref<8x8xf32, strided<[1, 8]>>, %out0: memref<8xf32>, %out1: memref<8xf32>)
// CHECK: memref.reinterpret_cast %x to offset: [%{{.*}}], sizes: [8], strides: [9] : memref<8x8xf32, strided<[1, 8]>> to memref<8xf32, strided<[9], offset: ?>>
// CHECK: memref.reinterpret_cast %x to offset: [%{{.*}}], sizes: [8], strides: [-8] : memref<8x8xf32, strided<[1, 8]>> to memref<8xf32, strided<[-8], offset: ?>>
func.func @strides(%x: tensor<8x8xf32> {mlc.layout = strided<[1, 8]>}) -> (tensor<8xf32>, tensor<8xf32>) {
  %d = loop.stage diagonal [i: vec 8] (%a = %x[i, i]) -> [i] { loop.yield %a : f32 }
  %r = loop.stage reversed [i: vec 8] (%a = %x[3, 7 - i]) -> [i] { loop.yield %a : f32 }
  func.return %d, %r : tensor<8xf32>, tensor<8xf32>
}

// CHECK-LABEL: func.func @clamp(%x: memref<?xf32> {mlc.sizes = "n"}, %out0: memref<?xf32> {mlc.sizes = "n"})
// CHECK: %n = memref.dim %x, %c0 : memref<?xf32>
// CHECK: %[[LAST:.*]] = arith.addi %n, %{{.*}} : index
// CHECK: %[[RUNS:.*]] = arith.cmpi sge, %n, %c4 : index
// CHECK: scf.if %[[RUNS]] {
// CHECK: scf.for %i0 = %c0 to %n step %c4 {
// CHECK: arith.minsi %i0, %[[LAST]] : index
// CHECK: } else {
// CHECK: scf.for %i = %c0 to %n step %c1 {
func.func @clamp(%x: tensor<?xf32, #nd.sym<n>>) -> tensor<?xf32, #nd.sym<n>> {
  loop.size n = %x, 0
  %y = loop.if n >= 4 {
    %t = loop.for i0 = n step 4 clamp -> [i0] {
      %u = loop.stage exp [i: vec 4] (%a = %x[i + i0]) -> [i] {
        %b = math.exp %a : f32
        loop.yield %b : f32
      }
      loop.yield %u : tensor<4xf32>
    }
    loop.yield %t : tensor<?xf32, #nd.sym<n>>
  } else {
    %t = loop.stage exp [i: n] (%a = %x[i]) -> [i] {
      %b = math.exp %a : f32
      loop.yield %b : f32
    }
    loop.yield %t : tensor<?xf32, #nd.sym<n>>
  }
  func.return %y : tensor<?xf32, #nd.sym<n>>
}
