// RUN: mlc-opt %s -p "cse,dce" | FileCheck %s
// RUN: mlc-opt %s --pass-pipeline="builtin.module(func.func(cse,dce))" | FileCheck %s
// RUN: cat %s | mlc-opt - --passes cse | FileCheck %s
// RUN: not mlc-opt %s -p css 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not mlc-opt %s -p "cse{depth=2}" 2>&1 | FileCheck %s --check-prefix=OPTION
// RUN: mlc-opt --list-passes | FileCheck %s --check-prefix=LIST
// RUN: mlc-opt --help-env | FileCheck %s --check-prefix=ENV

// CHECK: nd.exp
// CHECK-NOT: nd.exp
// UNKNOWN: error: unknown pass 'css'; did you mean 'cse'?
// OPTION: error: pass cse has no option 'depth'; its options: none
// LIST: canonicalize
// LIST: loop-tile{axis=str size=int
// ENV: MLC_CACHE_DIR
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.exp %x : tensor<4xf32>
  %1 = nd.exp %x : tensor<4xf32>
  %2 = nd.mul %0, %1 : tensor<4xf32>
  func.return %2 : tensor<4xf32>
}
