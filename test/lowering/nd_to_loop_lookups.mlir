// RUN: mlc-opt %s -p nd-to-loop | FileCheck %s
// A gather is part of whoever reads it; a scatter computes its updates and positions.

// CHECK-LABEL: func.func private @rows
// CHECK: loop.stage exp [i: 5, j: 8] (%1 = %i[i], %2 = %x[...]) -> [i, j] {
// CHECK: arith.maxsi
// CHECK: arith.minsi
// CHECK: [[P:%[0-9]+]] = arith.index_cast {{.*}} : i32 to index
// CHECK: [[J:%[0-9]+]] = loop.index j : index
// CHECK: loop.load %2[[[P]], [[J]]]
// CHECK: math.exp
func.func private @rows(%x: tensor<6x8xf32>, %i: tensor<5xi32>) -> tensor<5x8xf32> {
  %0 = nd.gather clip %x, %i "@0 b, a -> a b" : (tensor<6x8xf32>, tensor<5xi32>) -> tensor<5x8xf32>
  %1 = nd.exp %0 : tensor<5x8xf32>
  func.return %1 : tensor<5x8xf32>
}

// What is outside gives 0: it is read at some place inside.
// CHECK-LABEL: func.func private @fill
// CHECK: [[IN:%[0-9]+]] = arith.cmpi ule, %1, {{.*}} : i64
// CHECK: arith.minui %1, {{.*}} : i64
// CHECK: [[V:%[0-9]+]] = loop.load
// CHECK: arith.select [[IN]], [[V]], {{.*}} : f32
func.func private @fill(%x: tensor<6xf32>, %i: tensor<5xi64>) -> tensor<5xf32> {
  %0 = nd.gather fill %x, %i "@0, a -> a" : (tensor<6xf32>, tensor<5xi64>) -> tensor<5xf32>
  func.return %0 : tensor<5xf32>
}

// What is computed before it is read at computed positions is kept; a position goes through views.
// CHECK-LABEL: func.func private @kept
// CHECK: %0 = loop.stage exp [i: 6, j: 8]
// CHECK: loop.stage gather [k: 5, i: 6] ({{.*}} = %i[k], {{.*}} = %0[...]) -> [k, i] {
func.func private @kept(%x: tensor<6x8xf32>, %i: tensor<5xi8>) -> tensor<5x6xf32> {
  %0 = nd.exp %x : tensor<6x8xf32>
  %1 = nd.transpose %0 "a b -> b a" : (tensor<6x8xf32>) -> tensor<8x6xf32>
  %2 = nd.gather promise %1, %i "@0 b, a -> a b" : (tensor<8x6xf32>, tensor<5xi8>) -> tensor<5x6xf32>
  func.return %2 : tensor<5x6xf32>
}

// CHECK-LABEL: func.func private @add
// CHECK: loop.scatter add scatter [i: 5, j: 8] (%1 = %i[i], %2 = %u[i, j]) into %x {
// CHECK: [[OK:%[0-9]+]] = arith.cmpi ule, %1
// CHECK: [[E:%[0-9]+]] = math.exp %2 : f32
// CHECK: loop.yield [[E]], {{.*}}, [[OK]] : f32, index, index, i1
func.func private @add(%x: tensor<6x8xf32>, %u: tensor<5x8xf32>, %i: tensor<5xi32>) -> tensor<6x8xf32> {
  %0 = nd.exp %u : tensor<5x8xf32>
  %1 = nd.scatter add drop %x, %0, %i "a b, a -> @0 b" : (tensor<6x8xf32>, tensor<5x8xf32>, tensor<5xi32>) -> tensor<6x8xf32>
  func.return %1 : tensor<6x8xf32>
}
