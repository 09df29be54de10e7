// RUN: mlc-opt %s -p decompose,nd-to-loop | FileCheck %s --check-prefix=LOOP
// RUN: mlc-opt %s -p decompose,nd-to-loop,lower-loop | FileCheck %s --check-prefix=LOWER
// Below the tensor level integers have no sign and what is only stored is a byte; narrow floats are computed in f32.

// Rounded once, after the whole statement.
// LOOP-LABEL: func.func @half(%x: tensor<64xf16>, %y: tensor<64xf16>) -> tensor<64xf16>
// LOOP-NEXT:    loop.stage add [i: 64] (%[[X:.*]] = %x[i], %[[Y:.*]] = %y[i]) -> [i] {
// LOOP-NEXT:      %[[A:.*]] = arith.extf %[[X]] : f16 to f32
// LOOP-NEXT:      %[[B:.*]] = arith.extf %[[Y]] : f16 to f32
// LOOP-NEXT:      %[[SUM:.*]] = arith.addf %[[A]], %[[B]] : f32
// LOOP-NEXT:      %[[R:.*]] = arith.truncf %[[SUM]] : f32 to f16
// LOOP-NEXT:      loop.yield %[[R]] : f16
// LOWER-LABEL: func.func @half(%x: memref<64xf16>, %y: memref<64xf16>, %out0: memref<64xf16>)
// LOWER:         memref.load %x[%{{.*}}] : memref<64xf16>
// LOWER:         arith.addf {{.*}} : f32
// LOWER:         memref.store %{{.*}}, %out0[%{{.*}}] : memref<64xf16>
func.func @half(%x: tensor<64xf16>, %y: tensor<64xf16>) -> tensor<64xf16> {
  %0 = nd.add %x, %y : tensor<64xf16>
  func.return %0 : tensor<64xf16>
}

// A sum in f32, rounded at its end by integer operations.
// LOOP-LABEL: func.func @total(%x: tensor<64xbf16>) -> tensor<bf16>
// LOOP-NEXT:    %[[S:.*]] = loop.stage sum [i: 64] (%{{.*}} = %x[i]) -> add [] {
// LOOP:           arith.shli %{{.*}}, %{{.*}} : i32
// LOOP-NEXT:      %[[V:.*]] = arith.bitcast %{{.*}} : i32 to f32
// LOOP-NEXT:      loop.yield %[[V]] : f32
// LOOP:         loop.stage round [] (%{{.*}} = %[[S]][]) -> [] {
// LOOP:           arith.constant 32767 : i32
// LOOP:           arith.cmpf une
// LOOP:           arith.trunci %{{.*}} : i32 to i16
// LOOP-NEXT:      %[[R:.*]] = arith.bitcast %{{.*}} : i16 to bf16
// LOOP-NEXT:      loop.yield %[[R]] : bf16
// LOWER-LABEL: func.func @total(%x: memref<64xbf16>, %out0: memref<bf16>)
// LOWER:         scf.for {{.*}} -> (f32) {
func.func @total(%x: tensor<64xbf16>) -> tensor<bf16> {
  %0 = nd.reduce sum %x "a -> " : (tensor<64xbf16>) -> tensor<bf16>
  func.return %0 : tensor<bf16>
}

// The order of unsigned integers is the op's and the combiner's; its identity is the greatest, all ones.
// LOOP-LABEL: func.func @bytes(%x: tensor<64x4xi8>, %y: tensor<64x4xi8>) -> tensor<4xi8>
// LOOP:         loop.stage min [i: 64, j: 4] ({{.*}}) -> umin [j] {
// LOOP-NEXT:      arith.maxui %{{.*}}, %{{.*}} : i8
// LOWER-LABEL: func.func @bytes(%x: memref<64x4xi8>, %y: memref<64x4xi8>, %out0: memref<4xi8>)
// LOWER-DAG:     arith.constant -1 : i8
// LOWER:         arith.maxui %{{.*}}, %{{.*}} : i8
// LOWER:         arith.minui %{{.*}}, %{{.*}} : i8
func.func @bytes(%x: tensor<64x4xui8>, %y: tensor<64x4xui8>) -> tensor<4xui8> {
  %0 = nd.max %x, %y : tensor<64x4xui8>
  %1 = nd.reduce min %0 "a b -> b" : (tensor<64x4xui8>) -> tensor<4xui8>
  func.return %1 : tensor<4xui8>
}

// LOOP-LABEL: func.func @moved(%x: tensor<64xi8>) -> tensor<64xi8>
// LOOP-NEXT:    loop.stage reverse [i: 64] (%[[X:.*]] = %x[-i + 63]) -> [i] {
// LOOP-NEXT:      loop.yield %[[X]] : i8
func.func @moved(%x: tensor<64xf8E4M3FN>) -> tensor<64xf8E4M3FN> {
  %0 = nd.reverse %x [0] : tensor<64xf8E4M3FN>
  func.return %0 : tensor<64xf8E4M3FN>
}

// Exponent and mantissa where f32 has them, times 2^112; infinity and NaN by the code.
// LOOP-LABEL: func.func @decoded(%x: tensor<64xi8>) -> tensor<64xf32>
// LOOP-DAG:       %[[SCALE:.*]] = arith.constant 5.19229686e+33 : f32
// LOOP-DAG:       %[[NAN:.*]] = arith.constant 0x7fc00000 : f32
// LOOP-DAG:       %[[INF:.*]] = arith.constant 0x7f800000 : f32
// LOOP:           arith.mulf %{{.*}}, %[[SCALE]] : f32
// LOOP:           arith.select %{{.*}}, %[[INF]], %{{.*}} : f32
// LOOP:           arith.select %{{.*}}, %[[NAN]], %{{.*}} : f32
func.func @decoded(%x: tensor<64xf8E5M2>) -> tensor<64xf32> {
  %0 = nd.convert %x to f32 : tensor<64xf8E5M2> -> tensor<64xf32>
  func.return %0 : tensor<64xf32>
}

// Nothing out of range, and no NaN, reaches the conversion.
// LOOP-LABEL: func.func @saturated(%x: tensor<64xf32>) -> tensor<64xi8>
// LOOP:           %[[INSIDE:.*]] = arith.andi
// LOOP-NEXT:      %[[SAFE:.*]] = arith.select %[[INSIDE]], %{{.*}}, %{{.*}} : f32
// LOOP-NEXT:      arith.fptoui %[[SAFE]] : f32 to i8
// LOOP-COUNT-2:   arith.select %{{.*}} : i8
func.func @saturated(%x: tensor<64xf32>) -> tensor<64xui8> {
  %0 = nd.convert %x to ui8 : tensor<64xf32> -> tensor<64xui8>
  func.return %0 : tensor<64xui8>
}

// The sign of four bits.
// LOOP-LABEL: func.func @nibbles(%x: tensor<64xi8>) -> tensor<64xi32>
// LOOP:           arith.shli %{{.*}}, %[[FOUR:.*]] : i8
// LOOP-NEXT:      arith.shrsi %{{.*}}, %[[FOUR]] : i8
// LOOP-NEXT:      arith.extsi %{{.*}} : i8 to i32
func.func @nibbles(%x: tensor<64xi4>) -> tensor<64xi32> {
  %0 = nd.convert %x to i32 : tensor<64xi4> -> tensor<64xi32>
  func.return %0 : tensor<64xi32>
}

// Sizes are told by the argument that stands at the loop level; an expression of one is solved.
// LOOP-LABEL: func.func @sized(%x: tensor<?xi8, #nd.sym<n + 2>>) -> tensor<?xi8, #nd.sym<n>>
// LOOP-NEXT:    loop.size n = %x, 0
// LOOP-NEXT:    loop.stage slice [i: n] (%{{.*}} = %x[i + 1]) -> [i] {
// LOWER-LABEL: func.func @sized(
// LOWER:         %[[D:.*]] = memref.dim %x, %c0
// LOWER:         %n = arith.addi %[[D]], %{{.*}} : index
// LOWER:         scf.for %i = %c0 to %n
func.func @sized(%x: tensor<?xui8, #nd.sym<n + 2>>) -> tensor<?xui8, #nd.sym<n>> {
  %0 = nd.slice %x from [1] step [1] : tensor<?xui8, #nd.sym<n + 2>> -> tensor<?xui8, #nd.sym<n>>
  func.return %0 : tensor<?xui8, #nd.sym<n>>
}
