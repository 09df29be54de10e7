// RUN: mlc-opt %s --rules=%test/tools/squares.mlir | FileCheck %s --check-prefix=FILE
// RUN: mlc-opt %s -p canonicalize,dce --rules=%test/tools/squares.mlir --mlir-print-ir-after-all 2>&1 | FileCheck %s --check-prefix=WHERE
// RUN: mlc-opt %s -p apply-rules,canonicalize --rules=%test/tools/squares.mlir | FileCheck %s --check-prefix=FILE
// RUN: mlc-opt %s -p canonicalize,apply-rules --trace-rules 2>&1 | FileCheck %s --check-prefix=TRACE
// RUN: mlc-opt %s -p canonicalize --disable-rules=neg_neg | FileCheck %s --check-prefix=OFF
// RUN: mlc-opt %s -p canonicalize,apply-rules --disable-rules=algebra,contraction | FileCheck %s --check-prefix=GROUP
// RUN: not mlc-opt %s -p canonicalize --disable-rules=negneg 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: mlc-opt --print-rules | FileCheck %s --check-prefix=LIST
// RUN: mlc-opt --print-rules=neg_neg,scale_of_product | FileCheck %s --check-prefix=SHOW
// RUN: not mlc-opt --print-rules=scale_of_products 2>&1 | FileCheck %s --check-prefix=NEAR
// RUN: mlc-opt --print-rules=magnitude_of_square --rules=%test/tools/squares.mlir | FileCheck %s --check-prefix=OWN
// RUN: not mlc-opt %s --rules=%test/tools/false_rule.mlir 2>&1 | FileCheck %s --check-prefix=FALSE

// UNKNOWN: error: --disable-rules: expected names of rules or groups ({{.*}}algebra, {{.*}}), found negneg; did you mean 'neg_neg'?
// NEAR:    error: --print-rules: expected names of rules or groups ({{.*}}), found scale_of_products; did you mean 'scale_of_product'?

// LIST:     rule {{ *}}group {{ *}}kind {{ *}}level {{ *}}evidence {{ *}}equation
// LIST-DAG: neg_neg {{ *}}algebra {{ *}}simplify {{ *}}exact {{ *}}instances {{ *}}-(-x) -> x
// LIST-DAG: merge_products {{ *}}merging {{ *}}cost {{ *}}ieee
// LIST-DAG: scale_of_product {{ *}}contraction {{ *}}simplify {{ *}}ieee {{ *}}exact arithmetic {{ *}}(x @ w) * scale -> x @ (w * scale)
// LIST-DAG: add_associates {{ *}}algebra {{ *}}explore {{ *}}fast {{ *}}exact arithmetic {{ *}}(x + y) + z -> x + (y + z)

// SHOW:      // neg_neg: simplify exact, group algebra, evidence: instances
// SHOW-NEXT: // -(-x) -> x
// SHOW:      // scale_of_product: simplify ieee, group contraction, evidence: exact arithmetic
// SHOW-NEXT: // (x @ w) * scale -> x @ (w * scale)
// SHOW-NEXT: graph.rule @scale_of_product({{.*}}) simplify ieee in contraction where float(T) {

// OWN: // magnitude_of_square: simplify exact, group squares, evidence: f64 samples

// FALSE:      false_rule.mlir:5:1: error: rule @forgets_the_scale is false: expected equal sides, found [0] on the left and [1] on the right for n = 1
// FALSE-NEXT:   graph.rule @forgets_the_scale

// Without passes, the rules of a file are applied alone; else behind the first canonicalize.
// FILE-LABEL: func.func @main
// FILE-NOT:     nd.abs
// WHERE: IR Dump After canonicalize
// WHERE: IR Dump After apply-rules{file={{.*}}squares.mlir}
// WHERE: IR Dump After dce

// TRACE-DAG: rules.mlir:{{.*}}: nd.neg: rule neg_neg fired
// TRACE-DAG: rules.mlir:{{.*}}: nd.mul: rule scale_of_product declined: nd.contract is read by func.return, too, so it would be computed twice

// OFF:     nd.neg
// OFF:     nd.neg
// GROUP:   nd.neg
// GROUP:   nd.neg
func.func @main(%x: tensor<6x8xf32>, %w: tensor<8x4xf32>, %s: tensor<4xf32>) -> (tensor<6x4xf32>, tensor<6x4xf32>, tensor<6x8xf32>, tensor<6x8xf32>) {
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<6x8xf32>, tensor<8x4xf32>) -> tensor<6x4xf32>
  %1 = nd.broadcast %s "a -> b a" : tensor<4xf32> -> tensor<6x4xf32>
  %2 = nd.mul %0, %1 : tensor<6x4xf32>
  %3 = nd.neg %x : tensor<6x8xf32>
  %4 = nd.neg %3 : tensor<6x8xf32>
  %5 = nd.mul %x, %x : tensor<6x8xf32>
  %6 = nd.abs %5 : tensor<6x8xf32>
  func.return %2, %0, %4, %6 : tensor<6x4xf32>, tensor<6x4xf32>, tensor<6x8xf32>, tensor<6x8xf32>
}
