// RUN: mlc-run %s --interpret --input "[[1, 2], [3, 4]]" --input "[10, 20]" --size b=2 | FileCheck %s
// RUN: mlc-run %s --interpret --size b=0 | FileCheck %s --check-prefix=EMPTY
// RUN: mlc-run %s --size b=3 --check-each --pipeline=nd -p canonicalize,cse | FileCheck %s --check-prefix=EACH
// RUN: not mlc-run %s --interpret 2>&1 | FileCheck %s --check-prefix=SIZE
// RUN: not mlc-run %s --interpret --entry=mein 2>&1 | FileCheck %s --check-prefix=ENTRY
// RUN: not mlc-run %s --interpret --input "[[1, 2, 3]]" 2>&1 | FileCheck %s --check-prefix=SHAPE
// RUN: not mlc-run %s --interpret --input "[[1, 2], [3]]" 2>&1 | FileCheck %s --check-prefix=LITERAL

// CHECK: result 0: tensor<?x2xf32, #nd.sym<b>>
// CHECK-NEXT: {{\[\[11\., *22\.\],}}
// CHECK-NEXT: {{\[13\., *24\.\]\]}}
// EMPTY: []
// EACH: same after pass canonicalize
// EACH-NEXT: same after pass cse
// SIZE: error: argument 0 (%x): size 'b' is not known; give it as --size b=N
// ENTRY: error: no function @mein; did you mean 'main'?; the module has @main
// SHAPE: error: argument 0 (%x): expected size 2 of dimension 1, found 3
// LITERAL: error: --input: expected a literal such as
func.func @main(%x: tensor<?x2xf32, #nd.sym<b>>, %y: tensor<2xf32>) -> tensor<?x2xf32, #nd.sym<b>> {
  %0 = nd.broadcast %y "b -> a b" : tensor<2xf32> -> tensor<?x2xf32, #nd.sym<b>>
  %1 = nd.add %x, %0 : tensor<?x2xf32, #nd.sym<b>>
  func.return %1 : tensor<?x2xf32, #nd.sym<b>>
}
