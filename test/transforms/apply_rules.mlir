// RUN: mlc-opt %s -p apply-rules | FileCheck %s
// RUN: mlc-opt %s -p 'apply-rules{names=merge_three_products}' | FileCheck %s --check-prefix=ONE
// RUN: mlc-opt %s -p 'apply-rules{file=%test/dialects/graph/rule.mlir names=merge_three_products,scale_of_convolution}' | FileCheck %s --check-prefix=FILE
// RUN: not mlc-opt %s -p 'apply-rules{names=merge}' 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not mlc-opt %s -p 'apply-rules{names=add_products}' 2>&1 | FileCheck %s --check-prefix=LEVEL
// RUN: not mlc-opt %s -p 'apply-rules{file=%test/dialects/graph/rule.mlir names=twice}' 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: not mlc-opt %s -p 'apply-rules{file=nowhere.mlir}' 2>&1 | FileCheck %s --check-prefix=NOFILE

// UNKNOWN: error: apply-rules: expected the name of a rule ({{.*}}merge_three_products, {{.*}}), found merge
// LEVEL:   error: apply-rules: rule add_products needs numerics=fast, found numerics=ieee
// KIND:    rule.mlir:53:1: error: rule twice is of kind explore, which states an equality for a search; expected kind simplify
// NOFILE:  error: apply-rules: expected a file of rules, found nowhere.mlir unreadable

// Queries, keys and values of an attention layer.
// CHECK-LABEL: func.func @attention
// CHECK-NEXT:    %0 = nd.concat %q, %k, %v along [1] : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x3xf32>) -> tensor<8x11xf32>
// CHECK-NEXT:    %1 = nd.contract %x, %0 "a b c d, d e -> a b c e"
// CHECK-NEXT:    %2 = nd.slice %1 from [0, 0, 0, 0] step [1, 1, 1, 1]
// CHECK-NEXT:    %3 = nd.slice %1 from [0, 0, 0, 4] step [1, 1, 1, 1]
// CHECK-NEXT:    %4 = nd.slice %1 from [0, 0, 0, 8] step [1, 1, 1, 1]
// CHECK-NEXT:    func.return %2, %3, %4
// ONE-LABEL:   func.func @attention
// ONE-NEXT:      nd.concat
// FILE-LABEL:  func.func @attention
// FILE-NEXT:     nd.concat %q, %k, %v
func.func @attention(%x: tensor<?x2x5x8xf32, #nd.sym<b>>, %q: tensor<8x4xf32>, %k: tensor<8x4xf32>, %v: tensor<8x3xf32>) -> (tensor<?x2x5x4xf32, #nd.sym<b>>, tensor<?x2x5x4xf32, #nd.sym<b>>, tensor<?x2x5x3xf32, #nd.sym<b>>) {
  %0 = nd.contract %x, %q "a b c d, d e -> a b c e" : (tensor<?x2x5x8xf32, #nd.sym<b>>, tensor<8x4xf32>) -> tensor<?x2x5x4xf32, #nd.sym<b>>
  %1 = nd.contract %x, %k "a b c d, d e -> a b c e" : (tensor<?x2x5x8xf32, #nd.sym<b>>, tensor<8x4xf32>) -> tensor<?x2x5x4xf32, #nd.sym<b>>
  %2 = nd.contract %x, %v "a b c d, d e -> a b c e" : (tensor<?x2x5x8xf32, #nd.sym<b>>, tensor<8x3xf32>) -> tensor<?x2x5x3xf32, #nd.sym<b>>
  func.return %0, %1, %2 : tensor<?x2x5x4xf32, #nd.sym<b>>, tensor<?x2x5x4xf32, #nd.sym<b>>, tensor<?x2x5x3xf32, #nd.sym<b>>
}

// Stride 2, padding 1.
// FILE-LABEL:  func.func @convolution
// FILE-NEXT:     %0 = nd.broadcast %scale "a -> b c a" : tensor<4xf64> -> tensor<3x3x4xf64>
// FILE-NEXT:     %1 = nd.mul %k, %0
// FILE-NEXT:     %2 = nd.contract %x, %1 "a 2*b+c-1 d, c d e -> a b e" to tensor<2x5x4xf64>
func.func @convolution(%x: tensor<2x9x3xf64>, %k: tensor<3x3x4xf64>, %scale: tensor<4xf64>) -> tensor<2x5x4xf64> {
  %0 = nd.contract %x, %k "a 2*b+c-1 d, c d e -> a b e" to tensor<2x5x4xf64> : (tensor<2x9x3xf64>, tensor<3x3x4xf64>) -> tensor<2x5x4xf64>
  %1 = nd.broadcast %scale "a -> b c a" : tensor<4xf64> -> tensor<2x5x4xf64>
  %2 = nd.mul %1, %0 : tensor<2x5x4xf64>
  func.return %2 : tensor<2x5x4xf64>
}
