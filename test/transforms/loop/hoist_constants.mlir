// RUN: mlc-opt %s -p "hoist-constants" --split-input-file | FileCheck %s

// A copy of a constant moves in front of the program; every launch gets its own.
// CHECK-LABEL: func.func @main
// CHECK:         %w = nd.resource "w", "00000000000000000000000000000000" : tensor<64x64xf32>
// CHECK-NEXT:    %v = nd.resource "v", "00000000000000000000000000000001" : tensor<64x64xf32>
// CHECK-NEXT:    %pack_w = graph.prepare @product_pack_w(%w) : (tensor<64x64xf32>) -> tensor<2x64x32xf32>
// CHECK-NEXT:    %0 = graph.launch @product(%x, %pack_w) : (tensor<8x64xf32>, tensor<2x64x32xf32>) -> tensor<8x64xf32>
// CHECK-NEXT:    %pack_w_1 = graph.prepare @product_pack_w(%v) : (tensor<64x64xf32>) -> tensor<2x64x32xf32>
// CHECK-NEXT:    %1 = graph.launch @product(%0, %pack_w_1)
// CHECK:       func.func private @product(%x: tensor<8x64xf32>, %pack_w: tensor<2x64x32xf32> {mlc.constant, llvm.noalias}) -> tensor<8x64xf32> {
// CHECK-NEXT:    %mm = loop.stage mm [i: 8, j0: 2, j: 32, k: 64] (%a = %x[i, k], %b = %pack_w[j0, k, j]) -> add [i, 32 * j0 + j] {
// CHECK:       func.func private @product_pack_w(%w: tensor<64x64xf32> {mlc.constant, llvm.noalias}) -> (tensor<2x64x32xf32> {llvm.noalias}) {
// CHECK-NEXT:    %pack_w = loop.stage pack_w [j0: 2, k: 64, j: 32] (%0 = %w[k, 32 * j0 + j]) -> [j0, k, j] {
func.func @main(%x: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %w = nd.resource "w", "00000000000000000000000000000000" : tensor<64x64xf32>
  %v = nd.resource "v", "00000000000000000000000000000001" : tensor<64x64xf32>
  %0 = graph.launch @product(%x, %w) : (tensor<8x64xf32>, tensor<64x64xf32>) -> tensor<8x64xf32>
  %1 = graph.launch @product(%0, %v) : (tensor<8x64xf32>, tensor<64x64xf32>) -> tensor<8x64xf32>
  func.return %1 : tensor<8x64xf32>
}
func.func private @product(%x: tensor<8x64xf32>, %w: tensor<64x64xf32> {mlc.constant}) -> tensor<8x64xf32> {
  %pack_w = loop.stage pack_w [j0: 2, k: 64, j: 32] (%0 = %w[k, 32 * j0 + j]) -> [j0, k, j] {
    loop.yield %0 : f32
  }
  %mm = loop.stage mm [i: 8, j0: 2, j: 32, k: 64] (%a = %x[i, k], %b = %pack_w[j0, k, j]) -> add [i, 32 * j0 + j] {
    %0 = arith.mulf %a, %b : f32
    loop.yield %0 : f32
  }
  func.return %mm : tensor<8x64xf32>
}

// -----

// What is read elsewhere stays an argument, and what takes much more memory than it is made of is made by the kernel.
// CHECK-LABEL: func.func @main
// CHECK:         %double = graph.prepare @sums_double(%w) : (tensor<8xf32>) -> tensor<8xf32>
// CHECK-NEXT:    %0 = graph.launch @sums(%x, %w, %double) : (tensor<64xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<64x8xf32>
// CHECK:       func.func private @sums(%x: tensor<64xf32>, %w: tensor<8xf32> {mlc.constant}, %double: tensor<8xf32> {mlc.constant, llvm.noalias}) -> tensor<64x8xf32> {
// CHECK-NEXT:    %spread = loop.stage spread [i: 64, j: 8] (%b = %w[j]) -> [i, j] {
func.func @main(%x: tensor<64xf32>) -> tensor<64x8xf32> {
  %w = nd.resource "w", "00000000000000000000000000000000" : tensor<8xf32>
  %0 = graph.launch @sums(%x, %w) : (tensor<64xf32>, tensor<8xf32>) -> tensor<64x8xf32>
  func.return %0 : tensor<64x8xf32>
}
func.func private @sums(%x: tensor<64xf32>, %w: tensor<8xf32> {mlc.constant}) -> tensor<64x8xf32> {
  %double = loop.stage double [j: 8] (%b = %w[j]) -> [j] {
    %0 = arith.addf %b, %b : f32
    loop.yield %0 : f32
  }
  %spread = loop.stage spread [i: 64, j: 8] (%b = %w[j]) -> [i, j] {
    loop.yield %b : f32
  }
  %y = loop.stage sums [i: 64, j: 8] (%a = %x[i], %b = %spread[i, j], %c = %double[j]) -> [i, j] {
    %0 = arith.addf %a, %b : f32
    %1 = arith.addf %0, %c : f32
    loop.yield %1 : f32
  }
  func.return %y : tensor<64x8xf32>
}
