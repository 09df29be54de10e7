// RUN: mlc-opt %s -p "rematerialize{budget=9000}" --split-input-file | FileCheck %s
// RUN: mlc-opt %s -p "rematerialize{budget=9000},cse,graph-fuse,graph-outline,graph-wrap,graph-plan" --split-input-file | FileCheck %s --check-prefix=PLAN
// RUN: mlc-opt %s -p "rematerialize{budget=20000}" --split-input-file | FileCheck %s --check-prefix=ENOUGH
// RUN: not mlc-opt %s -p "rematerialize{budget=-1}" 2>&1 | FileCheck %s --check-prefix=WRONG

// WRONG: rematerialize: expected a budget of 0 bytes or more, found -1

// %e is in memory while %1 and %2 are made: 12 KiB. Computed again from the argument, behind a barrier, 8 KiB are enough.
// CHECK-LABEL: func.func @main(%x: tensor<32x32xf32>, %w: tensor<32x32xf32>)
// CHECK-NEXT:    %e = nd.exp %x
// CHECK-NEXT:    %0 = nd.contract %e, %w
// CHECK-NEXT:    %1 = nd.contract %0, %w
// CHECK-NEXT:    %2 = nd.contract %1, %w
// CHECK-NEXT:    %x_1 = nd.barrier %x
// CHECK-NEXT:    %e_1 = nd.exp %x_1
// CHECK-NEXT:    %3 = nd.contract %2, %e_1
// CHECK-NEXT:    func.return %3
// PLAN: graph.arena = #graph.size<8192>
// ENOUGH-LABEL: func.func @main
// ENOUGH-NOT: nd.barrier
// ENOUGH: func.return
func.func @main(%x: tensor<32x32xf32>, %w: tensor<32x32xf32>) -> tensor<32x32xf32> {
  %e = nd.exp %x : tensor<32x32xf32>
  %0 = nd.contract %e, %w "a b, b c -> a c" : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
  %1 = nd.contract %0, %w "a b, b c -> a c" : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
  %2 = nd.contract %1, %w "a b, b c -> a c" : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
  %3 = nd.contract %2, %e "a b, b c -> a c" : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
  func.return %3 : tensor<32x32xf32>
}

// -----

// Without a budget: %d is elementwise in %e, which its last reader reads anyway, as is a normalised value in a centred one.
// RUN: mlc-opt %s -p rematerialize --split-input-file | FileCheck %s --check-prefix=CUT
// RUN: mlc-opt %s -p "rematerialize,cse,graph-fuse" --split-input-file | FileCheck %s --check-prefix=FUSED
// CUT-LABEL: func.func @backward
// CUT-NEXT:    %e = nd.contract %x, %w
// CUT-NEXT:    %d = nd.mul %e, %e
// CUT-NEXT:    %0 = nd.contract %d, %w
// CUT-NEXT:    %1 = nd.contract %0, %w
// CUT-NEXT:    %e_1 = nd.barrier %e
// CUT-NEXT:    %d_1 = nd.mul %e_1, %e_1
// CUT-NEXT:    %2 = nd.contract %1, %w
// CUT-NEXT:    %3 = nd.add %2, %e
// CUT-NEXT:    %4 = nd.mul %3, %d_1
// FUSED-LABEL: func.func @backward
// FUSED:         graph.kernel "matmul_mul"
// FUSED:         graph.kernel "matmul"
// FUSED:         graph.kernel "matmul"
// FUSED:         graph.kernel "mul_matmul_add_mul"
// FUSED-NOT:     graph.kernel
func.func @backward(%x: tensor<64x64xf32>, %w: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %e = nd.contract %x, %w "a b, b c -> a c" : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %d = nd.mul %e, %e : tensor<64x64xf32>
  %0 = nd.contract %d, %w "a b, b c -> a c" : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %1 = nd.contract %0, %w "a b, b c -> a c" : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %2 = nd.contract %1, %w "a b, b c -> a c" : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %3 = nd.add %2, %e : tensor<64x64xf32>
  %4 = nd.mul %3, %d : tensor<64x64xf32>
  func.return %4 : tensor<64x64xf32>
}
