// RUN: mlc-opt %s -p 'optimize{machine=%test/transforms/loop/wide.toml}' | FileCheck %s
// RUN: mlc-opt %s -p 'optimize{machine=%test/transforms/loop/wide.toml numerics=fast}' | FileCheck %s --check-prefix=FAST
// RUN: mlc-opt %s -p 'optimize{machine=%test/transforms/loop/wide.toml}' --mlir-print-debuginfo | FileCheck %s --check-prefix=PLACES
// RUN: mlc-opt %s -p 'optimize{machine=%test/transforms/loop/wide.toml limit=1}' | FileCheck %s --check-prefix=ONE
// RUN: not mlc-opt %s -p 'optimize{numerics=best}' 2>&1 | FileCheck %s --check-prefix=LEVEL
// RUN: not mlc-opt %s -p 'optimize{machine=%test/none.toml}' 2>&1 | FileCheck %s --check-prefix=MACHINE
// LEVEL: error: expected numerics to be one of exact, ieee, fast, found best
// MACHINE: error: machine description: expected {{.*}}found {{.*}}none.toml

// Weights that never change are put together before the program runs; the heads of both are views of one result.

// CHECK-LABEL: @merged
// CHECK-DAG:   %q = nd.resource
// CHECK-DAG:   %k = nd.resource
// CHECK:       [[W:%.*]] = nd.concat %q, %k along [1]
// CHECK:       [[Y:%.*]] = nd.contract %x, [[W]] "a b, b c -> a c" : (tensor<16x64xf32>, tensor<64x96xf32>) -> tensor<16x96xf32>
// CHECK:       [[H:%.*]] = nd.reshape [[Y]] : tensor<16x96xf32> -> tensor<16x6x16xf32>
// CHECK:       nd.slice [[H]] from [0, 0, 0]
// CHECK:       nd.slice [[H]] from [0, 4, 0]
// PLACES-LABEL: @merged
// PLACES:      nd.contract %x, {{.*}}loc(fused["{{.*}}optimize.mlir":{{[0-9]+}}:3, "{{.*}}optimize.mlir":{{[0-9]+}}:3])
func.func @merged(%x: tensor<16x64xf32>) -> tensor<16x16x4x2xf32> {
  %q = nd.resource "q", "00000000000000000000000000000001" : tensor<64x64xf32>
  %0 = nd.contract %x, %q "a b, b c -> a c" : (tensor<16x64xf32>, tensor<64x64xf32>) -> tensor<16x64xf32>
  %a = nd.reshape %0 : tensor<16x64xf32> -> tensor<16x4x16xf32>
  %k = nd.resource "k", "00000000000000000000000000000002" : tensor<64x32xf32>
  %1 = nd.contract %x, %k "a b, b c -> a c" : (tensor<16x64xf32>, tensor<64x32xf32>) -> tensor<16x32xf32>
  %b = nd.reshape %1 : tensor<16x32xf32> -> tensor<16x2x16xf32>
  %2 = nd.contract %a, %b "a c d, b e d -> a b c e" : (tensor<16x4x16xf32>, tensor<16x2x16xf32>) -> tensor<16x16x4x2xf32>
  func.return %2 : tensor<16x16x4x2xf32>
}

// Those of arguments would be copied with every call.

// CHECK-LABEL: @arguments
// CHECK-NEXT:  %a = nd.contract %x, %q
// CHECK-NEXT:  %b = nd.contract %x, %k
func.func @arguments(%x: tensor<16x64xf32>, %q: tensor<64x64xf32>, %k: tensor<64x32xf32>) -> (tensor<16x64xf32>, tensor<16x32xf32>) {
  %a = nd.contract %x, %q "a b, b c -> a c" : (tensor<16x64xf32>, tensor<64x64xf32>) -> tensor<16x64xf32>
  %b = nd.contract %x, %k "a b, b c -> a c" : (tensor<16x64xf32>, tensor<64x32xf32>) -> tensor<16x32xf32>
  func.return %a, %b : tensor<16x64xf32>, tensor<16x32xf32>
}

// What a contraction reads must not depend on another that it would be merged with.

// CHECK-LABEL: @dependent
// CHECK:       nd.contract %x, %w
// CHECK:       nd.contract %x, {{.*}} "a b, b c -> a c" : (tensor<64x64xf32>, tensor<64x64xf32>)
func.func @dependent(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %w = nd.resource "w", "00000000000000000000000000000003" : tensor<64x64xf32>
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %1 = nd.exp %0 : tensor<64x64xf32>
  %2 = nd.contract %x, %1 "a b, b c -> a c" : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  func.return %2 : tensor<64x64xf32>
}

// Rows that are counted at run time; nothing is moved over an effect.

// CHECK-LABEL: @symbolic
// CHECK:       nd.print "x {}" %x
// CHECK:       nd.contract %x, {{.*}} -> tensor<?x96xf32, #nd.sym<n>>
// CHECK:       nd.print "y {}"
func.func @symbolic(%x: tensor<?x64xf32, #nd.sym<n>>) -> tensor<64x32xf32> {
  %q = nd.resource "q", "00000000000000000000000000000001" : tensor<64x64xf32>
  nd.print "x {}" %x : tensor<?x64xf32, #nd.sym<n>>
  %0 = nd.contract %x, %q "a b, b c -> a c" : (tensor<?x64xf32, #nd.sym<n>>, tensor<64x64xf32>) -> tensor<?x64xf32, #nd.sym<n>>
  nd.print "y {}" %x : tensor<?x64xf32, #nd.sym<n>>
  %k = nd.resource "k", "00000000000000000000000000000002" : tensor<64x32xf32>
  %1 = nd.contract %x, %k "a b, b c -> a c" : (tensor<?x64xf32, #nd.sym<n>>, tensor<64x32xf32>) -> tensor<?x32xf32, #nd.sym<n>>
  %2 = nd.contract %0, %1 "n a, n b -> a b" : (tensor<?x64xf32, #nd.sym<n>>, tensor<?x32xf32, #nd.sym<n>>) -> tensor<64x32xf32>
  func.return %2 : tensor<64x32xf32>
}

// A scale and a shift of each channel; the first rewrite alone.

// CHECK-LABEL: @scaled
// CHECK:       [[S:%.*]] = nd.broadcast %s "a -> a b c d"
// CHECK:       [[W:%.*]] = nd.mul %w, [[S]] : tensor<64x64x3x3xf32>
// CHECK:       [[Y:%.*]] = nd.contract %x, [[W]]
// CHECK:       nd.add [[Y]]
// ONE-LABEL:   @merged
// ONE:         nd.concat
// ONE-LABEL:   @scaled
// ONE:         nd.contract %x, %w
func.func @scaled(%x: tensor<1x64x56x56xf32>, %b: tensor<64xf32>) -> tensor<1x64x56x56xf32> {
  %w = nd.resource "w", "00000000000000000000000000000004" : tensor<64x64x3x3xf32>
  %s = nd.resource "s", "00000000000000000000000000000005" : tensor<64xf32>
  %0 = nd.contract %x, %w "n c h+k-1 w+l-1, f c k l -> n f h w" to tensor<1x64x56x56xf32> : (tensor<1x64x56x56xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x56x56xf32>
  %1 = nd.broadcast %s "f -> n f h w" : tensor<64xf32> -> tensor<1x64x56x56xf32>
  %2 = nd.mul %0, %1 : tensor<1x64x56x56xf32>
  %3 = nd.broadcast %b "f -> n f h w" : tensor<64xf32> -> tensor<1x64x56x56xf32>
  %4 = nd.add %2, %3 : tensor<1x64x56x56xf32>
  func.return %4 : tensor<1x64x56x56xf32>
}

// In a region, at the level fast.

// FAST-LABEL: @inside
// FAST:       nd.scan
// FAST:       [[P:%.*]] = nd.contract %b, %c "a b, b c -> a c" : (tensor<512x512xf32>, tensor<512x8xf32>)
// FAST:       nd.contract %a, [[P]]
// CHECK-LABEL: @inside
// CHECK:       nd.scan
// CHECK:       [[P:%.*]] = nd.contract %a, %b
// CHECK:       nd.contract [[P]], %c
func.func @inside(%x: tensor<512x512xf32>, %y: tensor<512x512xf32>, %z: tensor<512x8xf32>) -> tensor<512x8xf32> {
  %r = nd.scan 4 (%a = %x, %b = %y) carry (%c = %z) -> (tensor<512x8xf32>) {
    %0 = nd.contract %a, %b "a b, b c -> a c" : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
    %1 = nd.contract %0, %c "a b, b c -> a c" : (tensor<512x512xf32>, tensor<512x8xf32>) -> tensor<512x8xf32>
    nd.yield %1 : tensor<512x8xf32>
  }
  func.return %r : tensor<512x8xf32>
}

// A number that scales a product goes into weights that are made of constants, whatever makes them.

// CHECK-LABEL: @number
// CHECK:       [[W:%.*]] = nd.mul {{.*}} : tensor<64x64xf32>
// CHECK-NEXT:  [[Y:%.*]] = nd.contract %x, [[W]]
// CHECK-NEXT:  func.return [[Y]]
func.func @number(%x: tensor<16x64xf32>) -> tensor<16x64xf32> {
  %w = nd.resource "w", "00000000000000000000000000000007" : tensor<64x64xf32>
  %n = nd.slice %w from [0, 0] step [1, 1] : tensor<64x64xf32> -> tensor<64x32xf32>
  %0 = nd.concat %n, %n along [1] : (tensor<64x32xf32>, tensor<64x32xf32>) -> tensor<64x64xf32>
  %1 = nd.contract %x, %0 "a b, b c -> a c" : (tensor<16x64xf32>, tensor<64x64xf32>) -> tensor<16x64xf32>
  %2 = nd.constant 0.3 : tensor<16x64xf32>
  %3 = nd.mul %1, %2 : tensor<16x64xf32>
  func.return %3 : tensor<16x64xf32>
}

// But a size is known only when the program is called: weights would be divided by it with every call.

// CHECK-LABEL: @size
// CHECK:       [[Y:%.*]] = nd.contract %x, %w
// CHECK:       [[D:%.*]] = nd.div [[Y]]
// CHECK-NEXT:  func.return [[D]]
func.func @size(%x: tensor<?x4096xf32, #nd.sym<n>>) -> tensor<?x64xf32, #nd.sym<n>> {
  %w = nd.resource "w", "00000000000000000000000000000007" : tensor<4096x64xf32>
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<?x4096xf32, #nd.sym<n>>, tensor<4096x64xf32>) -> tensor<?x64xf32, #nd.sym<n>>
  %n = nd.size [n] : tensor<f32>
  %1 = nd.broadcast %n " -> a b" : tensor<f32> -> tensor<?x64xf32, #nd.sym<n>>
  %2 = nd.div %0, %1 : tensor<?x64xf32, #nd.sym<n>>
  func.return %2 : tensor<?x64xf32, #nd.sym<n>>
}
