// RUN: mlc-opt %s -p cse,dce --mlir-print-ir-before=cse --mlir-print-ir-after=dce -o /dev/null 2>&1 | FileCheck %s
// RUN: mlc-opt %s -p cse,cse --mlir-print-ir-after-change -o /dev/null 2>&1 | FileCheck %s --check-prefix=CHANGE
// RUN: mlc-opt %s -p cse --mlir-print-debuginfo | FileCheck %s --check-prefix=PLACES
// RUN: mlc-opt %s --mlir-print-op-generic | FileCheck %s --check-prefix=GENERIC
// RUN: mlc-opt %s -p cse --mlir-timing -o /dev/null 2>&1 | FileCheck %s --check-prefix=TIME

// CHECK: // -----// IR Dump Before cse //----- //
// CHECK-COUNT-2: nd.exp
// CHECK: // -----// IR Dump After dce //----- //
// CHECK-COUNT-1: nd.exp
// CHECK-NOT: nd.exp

// CHANGE: IR Dump After cse
// CHANGE-NOT: IR Dump

// PLACES: %0 = nd.exp %x : tensor<4xf32> loc(fused["{{.*}}dumps.mlir":{{[0-9]+}}:3, "{{.*}}dumps.mlir":{{[0-9]+}}:3])
// GENERIC: "nd.exp"(%x) : (tensor<4xf32>) -> tensor<4xf32>
// TIME: time of passes
// TIME: ms {{.*}} cse
// TIME: 100.0 %  total
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.exp %x : tensor<4xf32>
  %1 = nd.exp %x : tensor<4xf32>
  %2 = nd.mul %0, %1 : tensor<4xf32>
  func.return %2 : tensor<4xf32>
}
