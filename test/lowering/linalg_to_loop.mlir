// RUN: mlc-opt %s -p linalg-to-loop | FileCheck %s
// RUN: mlc-opt %s -p "linalg-to-loop,choose-schedule{machine=%test/transforms/loop/wide.toml},apply-schedule,lower-loop" | FileCheck %s --check-prefix=RUNS
// Iterators become axes; a fill with zero is the identity of the sum, a fill with one is added.

func.func @matmul(%A: tensor<8x16xf32>, %B: tensor<16x24xf32>) -> tensor<8x24xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<8x24xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<8x24xf32>) -> tensor<8x24xf32>
  %C = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%A, %B : tensor<8x16xf32>, tensor<16x24xf32>) outs(%init : tensor<8x24xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<8x24xf32>
  func.return %C : tensor<8x24xf32>
}

// CHECK-LABEL: func.func @matmul
// CHECK-NOT: fill
// CHECK: %C = loop.stage s0 [i: 8, j: 24, k: 16] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
// CHECK-NEXT: %p = arith.mulf %a, %b : f32
// CHECK-NEXT: loop.yield %p : f32
// CHECK: func.return %C : tensor<8x24xf32>
// RUNS-LABEL: func.func @matmul
// RUNS: vector.transfer_write

func.func @sum(%x: tensor<4x8xi32>) -> tensor<4xi32> {
  %one = arith.constant 1 : i32
  %empty = tensor.empty() : tensor<4xi32>
  %init = linalg.fill ins(%one : i32) outs(%empty : tensor<4xi32>) -> tensor<4xi32>
  %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x8xi32>) outs(%init : tensor<4xi32>) {
  ^bb0(%a: i32, %o: i32):
    %i = linalg.index 1 : index
    %j = arith.index_cast %i : index to i32
    %w = arith.muli %a, %j : i32
    %s = arith.addi %w, %o : i32
    linalg.yield %s : i32
  } -> tensor<4xi32>
  func.return %r : tensor<4xi32>
}

// CHECK-LABEL: func.func @sum
// CHECK: %r = loop.stage s0 [i: 4, j: 8] (%a = %x[i, j]) -> add [i] {
// CHECK-NEXT: %i = loop.index j : index
// CHECK: loop.stage onto [i: 4] (%{{.*}} = %r[i]) -> [i] {
// CHECK-NEXT: arith.constant 1 : i32
// RUNS-LABEL: func.func @sum
// RUNS: vector.transfer_write

// Of NaN and a number, maxnumf takes the number.
func.func @largest(%x: tensor<4x8xf32>) -> tensor<4xf32> {
  %least = arith.constant 0xFF800000 : f32
  %empty = tensor.empty() : tensor<4xf32>
  %init = linalg.fill ins(%least : f32) outs(%empty : tensor<4xf32>) -> tensor<4xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x8xf32>) outs(%init : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.maxnumf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  func.return %r : tensor<4xf32>
}

// CHECK-LABEL: func.func @largest
// CHECK: loop.stage {{.*}} -> maxnum [i] {
// RUNS-LABEL: func.func @largest
// RUNS: vector.multi_reduction <maxnumf>
