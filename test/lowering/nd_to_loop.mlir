// RUN: mlc-opt %s -p decompose,nd-to-loop --split-input-file | FileCheck %s

// A product, and what is elementwise over its result, over the same axes.
// CHECK-LABEL: func.func @linear
// CHECK-NEXT:    loop.size b = %x, 0
// CHECK-NEXT:    %0 = loop.stage mm [i: b, j: 4, k: 16] (%1 = %x[i, k], %2 = %w[k, j]) -> add [i, j] {
// CHECK-NEXT:      %3 = arith.mulf %1, %2 : f32
// CHECK-NEXT:      loop.yield %3 : f32
// CHECK-NEXT:    }
// CHECK-NEXT:    %4 = loop.stage max [i: b, j: 4] (%5 = %0[i, j], %6 = %b[j]) -> [i, j] {
// CHECK:           arith.addf %5, %6
// CHECK:           arith.maximumf
func.func @linear(%x: tensor<?x16xf32, #nd.sym<b>>, %w: tensor<16x4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32, #nd.sym<b>> {
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<?x16xf32, #nd.sym<b>>, tensor<16x4xf32>) -> tensor<?x4xf32, #nd.sym<b>>
  %1 = nd.broadcast %b "b -> a b" : tensor<4xf32> -> tensor<?x4xf32, #nd.sym<b>>
  %2 = nd.add %0, %1 : tensor<?x4xf32, #nd.sym<b>>
  %3 = nd.relu %2 : tensor<?x4xf32, #nd.sym<b>>
  func.return %3 : tensor<?x4xf32, #nd.sym<b>>
}

// -----

// exp is computed once, for the sum and for the result; each row is divided once. The maximum only shifts the exponents,
// which are not above 0 then.
// CHECK-LABEL: func.func @softmax
// CHECK-NEXT:    loop.stage max [i: 4, j: 8] (%{{.*}} = %x[i, j]) -> maxnum [i]
// CHECK:         loop.stage exp_sum [i: 4, j: 8] (%{{.*}} = %x[i, j], %{{.*}} = %{{.*}}[i]) -> [i, j], add [i]
// CHECK-COUNT-1: math.exp %{{.*}} {mlc.nonpositive} : f32
// CHECK:         loop.stage div [i: 4] (%{{.*}} = %{{.*}}[i]) -> [i]
// CHECK:         loop.stage mul [i: 4, j: 8] (%{{.*}} = %{{.*}}[i, j], %{{.*}} = %{{.*}}[i]) -> [i, j]
// CHECK-NOT:     math.exp
func.func @softmax(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = nd.softmax %x : tensor<4x8xf32>
  func.return %0 : tensor<4x8xf32>
}

// -----

// Whoever sees the exponentials themselves sees NaN in every one of their line.
// CHECK-LABEL: func.func @seen
// CHECK-NEXT:    loop.stage max [i: 4, j: 8] (%{{.*}} = %x[i, j]) -> max [i]
func.func @seen(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %0 = nd.reduce max %x "a b -> a" : (tensor<4x8xf32>) -> tensor<4xf32>
  %1 = nd.broadcast %0 "a -> a b" : tensor<4xf32> -> tensor<4x8xf32>
  %2 = nd.sub %x, %1 : tensor<4x8xf32>
  %3 = nd.exp %2 : tensor<4x8xf32>
  %4 = nd.reduce sum %3 "a b -> a" : (tensor<4x8xf32>) -> tensor<4xf32>
  %5 = nd.broadcast %4 "a -> a b" : tensor<4xf32> -> tensor<4x8xf32>
  %6 = nd.div %3, %5 : tensor<4x8xf32>
  func.return %3, %6 : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// Products with the exponentials, and the logarithm of their sum.
// CHECK-LABEL: func.func @weights
// CHECK-NEXT:    loop.stage max [i: 4, j: 8] (%{{.*}} = %x[i, j]) -> maxnum [i]
func.func @weights(%x: tensor<4x8xf32>, %v: tensor<8x3xf32>) -> (tensor<4x3xf32>, tensor<4x8xf32>) {
  %0 = nd.reduce max %x "a b -> a" : (tensor<4x8xf32>) -> tensor<4xf32>
  %1 = nd.broadcast %0 "a -> a b" : tensor<4xf32> -> tensor<4x8xf32>
  %2 = nd.sub %x, %1 : tensor<4x8xf32>
  %3 = nd.exp %2 : tensor<4x8xf32>
  %4 = nd.reduce sum %3 "a b -> a" : (tensor<4x8xf32>) -> tensor<4xf32>
  %5 = nd.contract %3, %v "a b, b c -> a c" : (tensor<4x8xf32>, tensor<8x3xf32>) -> tensor<4x3xf32>
  %6 = nd.log %4 : tensor<4xf32>
  %7 = nd.broadcast %6 "a -> a b" : tensor<4xf32> -> tensor<4x8xf32>
  %8 = nd.sub %2, %7 : tensor<4x8xf32>
  func.return %5, %8 : tensor<4x3xf32>, tensor<4x8xf32>
}

// -----

// A window that leaves its operand reads zeros that a join puts around it.
// CHECK-LABEL: func.func @conv
// CHECK-NEXT:    %0 = loop.stage fill [{{.}}: 6] () -> [{{.}}]
// CHECK:         %[[P:.*]] = loop.stage piece [{{.}}: 4] (%{{.*}} = %x[{{.}}])
// CHECK:         %[[J:.*]] = loop.join (%0 at [0], %[[P]] at [1]) : tensor<6xf32>
// CHECK:         loop.stage mm [i: 4, j: 3] (%{{.*}} = %[[J]][i + j], %{{.*}} = %w[j]) -> add [i]
func.func @conv(%x: tensor<4xf32>, %w: tensor<3xf32>) -> tensor<4xf32> {
  %0 = nd.contract %x, %w "a+b-1, b -> a" to tensor<4xf32> : (tensor<4xf32>, tensor<3xf32>) -> tensor<4xf32>
  func.return %0 : tensor<4xf32>
}

// -----

// What moves elements is the access of its reader; positions are loop.index.
// CHECK-LABEL: func.func @moved
// CHECK-NEXT:    loop.stage mul [i: 2, j: 4] (%{{.*}} = %x[-j + 3, 2 * i + 1]) -> [i, j] {
// CHECK:           loop.index j : index
func.func @moved(%x: tensor<4x6xf32>) -> tensor<2x4xf32> {
  %0 = nd.transpose %x "a b -> b a" : (tensor<4x6xf32>) -> tensor<6x4xf32>
  %1 = nd.slice %0 from [1, 0] step [2, 1] : tensor<6x4xf32> -> tensor<2x4xf32>
  %2 = nd.reverse %1 [1] : tensor<2x4xf32>
  %3 = nd.iota 1 : tensor<2x4xf32>
  %4 = nd.mul %2, %3 : tensor<2x4xf32>
  func.return %4 : tensor<2x4xf32>
}

// -----

// The first place of what is beyond the number before the maximum, or unordered; in 32 bits on the way.
// CHECK-LABEL: func.func @argmax
// CHECK:         %[[M:.*]] = loop.stage max [i: 4, j: 8] {{.*}} -> maxnan [i]
// CHECK:         %[[B:.*]] = loop.stage max_bound [i: 4] (%{{.*}} = %[[M]][i]) -> [i]
// CHECK:         loop.stage argmax [i: 4, j: 8] (%{{.*}} = %x[i, j], %{{.*}} = %[[B]][i]) -> min [i]
// CHECK:           arith.cmpf ugt
// CHECK:           arith.select {{.*}} : i32
// CHECK:         loop.stage argmax_position [i: 4] {{.*}} -> [i]
// CHECK-NEXT:      arith.extsi {{.*}} : i32 to i64
func.func @argmax(%x: tensor<4x8xf32>) -> tensor<4xi64> {
  %0 = nd.argmax %x "a b -> a" : (tensor<4x8xf32>) -> tensor<4xi64>
  func.return %0 : tensor<4xi64>
}

// -----

// The greatest of the lines is taken off along columns: what is left may be any number.
// CHECK-LABEL: func.func @other_lines
// CHECK:         math.exp %{{[0-9]+}} : f32
func.func @other_lines(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = nd.reduce max %x "a b -> a" : (tensor<8x8xf32>) -> tensor<8xf32>
  %1 = nd.broadcast %0 "b -> a b" : tensor<8xf32> -> tensor<8x8xf32>
  %2 = nd.sub %x, %1 : tensor<8x8xf32>
  %3 = nd.exp %2 : tensor<8x8xf32>
  func.return %3 : tensor<8x8xf32>
}

// -----

// Lines of -inf alone: 0 is taken off. Another number than -inf may be less than others.
// CHECK-LABEL: func.func @nothing_there
// CHECK:         math.exp %{{[0-9]+}} {mlc.nonpositive} : f32
// CHECK:         math.exp %{{[0-9]+}} : f32
func.func @nothing_there(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %0 = nd.reduce max %x "a b -> a" : (tensor<4x8xf32>) -> tensor<4xf32>
  %1 = nd.constant -inf : tensor<4xf32>
  %2 = nd.constant 1.0 : tensor<4xf32>
  %3 = nd.constant 0.0 : tensor<4xf32>
  %4 = nd.compare eq %0, %1 : tensor<4xf32> -> tensor<4xi1>
  %5 = nd.select %4, %3, %0 : tensor<4xi1>, tensor<4xf32>
  %6 = nd.broadcast %5 "a -> a b" : tensor<4xf32> -> tensor<4x8xf32>
  %7 = nd.sub %x, %6 : tensor<4x8xf32>
  %8 = nd.exp %7 : tensor<4x8xf32>
  %9 = nd.compare eq %0, %2 : tensor<4xf32> -> tensor<4xi1>
  %10 = nd.select %9, %3, %0 : tensor<4xi1>, tensor<4xf32>
  %11 = nd.broadcast %10 "a -> a b" : tensor<4xf32> -> tensor<4x8xf32>
  %12 = nd.sub %x, %11 : tensor<4x8xf32>
  %13 = nd.exp %12 : tensor<4x8xf32>
  func.return %8, %13 : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// One operation on arguments is done twice, more of them once.
// CHECK-LABEL: func.func @argmax_of_sums
// CHECK-NEXT:    loop.stage max [i: 4, j: 5, k: 8] (%{{.*}} = %x[i, k], %{{.*}} = %y[j, k]) -> maxnan [i, j]
// CHECK-NEXT:      arith.addf
// CHECK:         loop.stage argmax [i: 4, j: 5, k: 8] (%{{.*}} = %x[i, k], %{{.*}} = %y[j, k], {{.*}}) -> min [i, j]
// CHECK:           arith.addf
func.func @argmax_of_sums(%x: tensor<4x8xf32>, %y: tensor<5x8xf32>) -> tensor<4x5xi64> {
  %0 = nd.broadcast %x "a c -> a b c" : tensor<4x8xf32> -> tensor<4x5x8xf32>
  %1 = nd.broadcast %y "b c -> a b c" : tensor<5x8xf32> -> tensor<4x5x8xf32>
  %2 = nd.add %0, %1 : tensor<4x5x8xf32>
  %3 = nd.argmax %2 "a b c -> a b" : (tensor<4x5x8xf32>) -> tensor<4x5xi64>
  func.return %3 : tensor<4x5xi64>
}

// CHECK-LABEL: func.func @argmax_of_exponentials
// CHECK-NEXT:    %[[E:.*]] = loop.stage exp [i: 4, j: 8] (%{{.*}} = %x[i, j]) -> [i, j]
// CHECK:         loop.stage max [i: 4, j: 8] (%{{.*}} = %[[E]][i, j])
func.func @argmax_of_exponentials(%x: tensor<4x8xf32>) -> tensor<4xi64> {
  %0 = nd.exp %x : tensor<4x8xf32>
  %1 = nd.argmax %0 "a b -> a" : (tensor<4x8xf32>) -> tensor<4xi64>
  func.return %1 : tensor<4xi64>
}
