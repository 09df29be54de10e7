// RUN: mlc-opt %s -p "loop-prefetch{value=B distance=4096 only=mm}" | FileCheck %s
// RUN: mlc-opt %s -p "loop-prefetch{value=B distance=4096 only=mm},loop-vectorize{axes=i,j},lower-loop" | FileCheck %s --check-prefix=LOWERED
// RUN: mlc-opt %s -p "loop-prefetch{value=B distance=4096 only=mm},loop-vectorize{axes=i,j},lower-loop" --emit-llvm | FileCheck %s --check-prefix=EMITTED
// RUN: not mlc-opt %s -p "loop-prefetch{value=D distance=4096}" 2>&1 | FileCheck %s --check-prefix=VALUE
// RUN: not mlc-opt %s -p "loop-prefetch{value=B distance=0}" 2>&1 | FileCheck %s --check-prefix=DISTANCE
// Memory ahead of an operand is asked for, once for each of its lines.

func.func @product(%A: tensor<2x40xf32>, %B: tensor<40x32xf32>) -> tensor<2x32xf32> {
  %C = loop.stage mm [i: 2, j: 32, k: 40] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %0 = arith.mulf %a, %b : f32
    loop.yield %0 : f32
  }
  func.return %C : tensor<2x32xf32>
}

// CHECK: loop.stage mm [i: 2, j: 32, k: 40] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] attributes {loop.prefetch = array<i64: 0, 4096>} {

// LOWERED: vector.transfer_read %A{{.*}}, %1 {in_bounds = [true, true], permutation_map
// LOWERED: vector.transfer_read %B{{.*}}mlc.prefetch = 4096 : i64

// EMITTED-COUNT-2: call void @llvm.prefetch.p0(ptr %{{.*}}, i32 0, i32 3, i32 1)
// EMITTED-NOT: call void @llvm.prefetch

// VALUE: prefetch.mlir:8:1: error: loop-prefetch: expected a value that a stage reads, found D
// DISTANCE: prefetch.mlir:8:1: error: loop-prefetch: expected a distance of at least 1 byte, found 0
