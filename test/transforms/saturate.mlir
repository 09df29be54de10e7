// RUN: mlc-opt %s -p 'saturate{numerics=fast machine=xeon}' --split-input-file | FileCheck %s
// RUN: mlc-opt %s -p 'saturate{machine=xeon}' --split-input-file | FileCheck %s --check-prefix=IEEE
// RUN: mlc-opt %s --saturate --split-input-file | FileCheck %s --check-prefix=FLAG
// RUN: mlc-opt %s --saturate --trace-rules --split-input-file -o %t 2>&1 | FileCheck %s --check-prefix=TRACE
// RUN: mlc-opt %s --saturate --pipeline=nd --split-input-file | FileCheck %s --check-prefix=FLAG
// RUN: not mlc-opt %s --saturate -p cse 2>&1 | FileCheck %s --check-prefix=WHERE
// RUN: not mlc-opt %s -p 'saturate{file=nowhere.mlir}' 2>&1 | FileCheck %s --check-prefix=NOFILE

// WHERE:  error: --saturate: expected no other passes, or decompose among them (--pipeline=nd or a lower level), found cse
// NOFILE: error: {{.*}}expected a file of rules, found nowhere.mlir unreadable

// The two products that are cheap; names and places stay.
// CHECK-LABEL: func.func @chain
// CHECK-NEXT:    %0 = nd.contract %b, %c "a b, b c -> a c" : (tensor<512x512xf32>, tensor<512x8xf32>) -> tensor<512x8xf32>
// CHECK-NEXT:    %abc = nd.contract %a, %0 "a b, b c -> a c" : (tensor<512x512xf32>, tensor<512x8xf32>) -> tensor<512x8xf32>
// CHECK-NEXT:    func.return %abc
// IEEE-LABEL:  func.func @chain
// IEEE-NEXT:     %ab = nd.contract %a, %b
// FLAG-LABEL:  func.func @chain
// FLAG-NEXT:     %0 = nd.contract %b, %c
// TRACE:       saturate.mlir:{{[0-9]+}}:{{[0-9]+}}: nd.contract: rule chain_to_the_right fired
func.func @chain(%a: tensor<512x512xf32>, %b: tensor<512x512xf32>, %c: tensor<512x8xf32>) -> tensor<512x8xf32> {
  %ab = nd.contract %a, %b "a b, b c -> a c" : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
  %abc = nd.contract %ab, %c "a b, b c -> a c" : (tensor<512x512xf32>, tensor<512x8xf32>) -> tensor<512x8xf32>
  func.return %abc : tensor<512x8xf32>
}

// -----
// An effect ends a window, so that nothing goes across it.
// CHECK-LABEL: func.func @effect
// CHECK-NEXT:    %0 = nd.contract %a, %b
// CHECK-NEXT:    nd.print "between"
// CHECK-NEXT:    %1 = nd.contract %0, %c
func.func @effect(%a: tensor<512x512xf32>, %b: tensor<512x512xf32>, %c: tensor<512x8xf32>) -> tensor<512x8xf32> {
  %0 = nd.contract %a, %b "a b, b c -> a c" : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
  nd.print "between"
  %1 = nd.contract %0, %c "a b, b c -> a c" : (tensor<512x512xf32>, tensor<512x8xf32>) -> tensor<512x8xf32>
  func.return %1 : tensor<512x8xf32>
}

// -----
// Inside of a region, with a size that is known at run time only.
// CHECK-LABEL: func.func @region
// CHECK:         nd.scan
// CHECK-NEXT:      [[V:%.*]] = nd.contract %w, %{{c.*}} "a b, b c -> a c" : (tensor<64x?xf32, #nd.sym<n>>, tensor<?x2xf32, #nd.sym<n>>) -> tensor<64x2xf32>
// CHECK-NEXT:      nd.contract %{{a.*}}, [[V]]
func.func @region(%x: tensor<?x64xf32, #nd.sym<n>>, %v: tensor<64x?xf32, #nd.sym<n>>, %c0: tensor<?x2xf32, #nd.sym<n>>) -> tensor<?x2xf32, #nd.sym<n>> {
  %r = nd.scan 4 (%a = %x, %w = %v) carry (%c = %c0) -> (tensor<?x2xf32, #nd.sym<n>>) {
    %0 = nd.contract %a, %w "a b, b c -> a c" : (tensor<?x64xf32, #nd.sym<n>>, tensor<64x?xf32, #nd.sym<n>>) -> tensor<?x?xf32, #nd.sym<n, n>>
    %1 = nd.contract %0, %c "a b, b c -> a c" : (tensor<?x?xf32, #nd.sym<n, n>>, tensor<?x2xf32, #nd.sym<n>>) -> tensor<?x2xf32, #nd.sym<n>>
    nd.yield %1 : tensor<?x2xf32, #nd.sym<n>>
  }
  func.return %r : tensor<?x2xf32, #nd.sym<n>>
}

// -----
// Rules of the module itself.
// IEEE-LABEL: func.func @own
// IEEE-NEXT:    %0 = nd.ceil %x
// IEEE-NEXT:    func.return %0
graph.rule @floor_from_below(%x: tensor<?xf64, #nd.sym<n>>) explore exact {
  %0 = nd.neg %x : tensor<?xf64, #nd.sym<n>>
  %1 = nd.floor %0 : tensor<?xf64, #nd.sym<n>>
  %2 = nd.neg %1 : tensor<?xf64, #nd.sym<n>>
  graph.roots %2 : tensor<?xf64, #nd.sym<n>>
} => {
  %0 = nd.ceil %x : tensor<?xf64, #nd.sym<n>>
  graph.roots %0 : tensor<?xf64, #nd.sym<n>>
}
func.func @own(%x: tensor<64xf64>) -> tensor<64xf64> {
  %0 = nd.neg %x : tensor<64xf64>
  %1 = nd.floor %0 : tensor<64xf64>
  %2 = nd.neg %1 : tensor<64xf64>
  func.return %2 : tensor<64xf64>
}
