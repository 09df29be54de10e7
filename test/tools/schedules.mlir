// RUN: mlc-opt %s --print-schedule | FileCheck %s
// RUN: mlc-opt %s --print-schedule -o %t.schedule && mlc-opt %s --print-schedule --schedule=%t.schedule | FileCheck %s --check-prefix=AGAIN
// RUN: printf '// by hand\n@matmul:\n  loop-tile{axis=i size=2}, loop-vectorize{axes=j}\n' > %t.user
// RUN: mlc-opt %s --pipeline=llvm --schedule=%t.user --report | FileCheck %s --check-prefix=REPORT
// RUN: mlc-run %s --schedule=%t.user --check --report | FileCheck %s --check-prefix=NATIVE
// RUN: not mlc-opt %s --pipeline=graph --schedule=%t.user 2>&1 | FileCheck %s --check-prefix=LEVEL

// CHECK: // %x: tensor<6x40xf32>, %w: tensor<40x32xf32> -> tensor<6x32xf32>
// CHECK-NEXT: // mm [i: 6, j: 32, k: 40] (%x[i, k], %w[k, j]) -> add [i, j]
// CHECK-NEXT: @matmul:
// CHECK-NEXT:   loop-{{.*}}
// CHECK: // sum {{.*}} -> add [i]
// CHECK-NEXT: @sum:
// CHECK-NEXT:   loop-

// AGAIN: // from the user
// AGAIN-NEXT: @matmul:
// AGAIN: // from the user
// AGAIN-NEXT: @sum:

// REPORT: kernel matmul: 1 call,
// REPORT-NEXT:   schedule from the user: loop-tile{axis=i size=2},loop-vectorize{axes=j}
// REPORT: kernel sum: 1 call,
// REPORT-NOT: schedule from
// NATIVE: schedule from the user: loop-tile{axis=i size=2}
// NATIVE: check passed

// LEVEL: error: --schedule: expected passes with choose-schedule
func.func @main(%x: tensor<6x40xf32>, %w: tensor<40x32xf32>) -> tensor<6xf32> {
  %0 = nd.contract %x, %w "a c, c b -> a b" : (tensor<6x40xf32>, tensor<40x32xf32>) -> tensor<6x32xf32>
  %1 = nd.reduce sum %0 "a b -> a" : (tensor<6x32xf32>) -> tensor<6xf32>
  func.return %1 : tensor<6xf32>
}
