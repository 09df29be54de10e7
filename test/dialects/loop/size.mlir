// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --mlir-print-op-generic | mlc-opt | FileCheck %s
// Run-time extents are expressions over named sizes, in domains, indices and offsets.

func.func @size(%x: tensor<?xf32, #nd.sym<n>>) -> tensor<?xf32, #nd.sym<2*n + 1>> {
  loop.size n = %x, 0
  %back = loop.stage reverse [i: n] (%a = %x[-i + (n - 1)]) -> [i] {
    loop.yield %a : f32
  }
  %one = loop.stage one [i: n + 1] () -> [i] {
    %c = arith.constant 1.0 : f32
    loop.yield %c : f32
  }
  %all = loop.join (%back at [0], %one at [(n)]) : tensor<?xf32, #nd.sym<2*n + 1>>
  func.return %all : tensor<?xf32, #nd.sym<2*n + 1>>
}

// CHECK-LABEL: func.func @size(%x: tensor<?xf32, #nd.sym<n>>) -> tensor<?xf32, #nd.sym<2*n + 1>>
// CHECK: loop.size n = %x, 0
// CHECK: %back = loop.stage reverse [i: n] (%a = %x[-i + (n - 1)]) -> [i] {
// CHECK: loop.yield %a : f32
// CHECK: %one = loop.stage one [i: n + 1] () -> [i] {
// CHECK: %c = arith.constant 1.000000e+00 : f32
// CHECK: loop.yield %c : f32
// CHECK: %all = loop.join (%back at [0], %one at [(n)]) : tensor<?xf32, #nd.sym<2*n + 1>>
// CHECK: func.return %all : tensor<?xf32, #nd.sym<2*n + 1>>

func.func @told(%x: tensor<?xf32, #nd.sym<2*n + 1>>) -> tensor<?xf32, #nd.sym<n>> {
  loop.size n = %x, 0
  %odd = loop.stage odd [i: n] (%a = %x[2*i + 1]) -> [i] {
    loop.yield %a : f32
  }
  func.return %odd : tensor<?xf32, #nd.sym<n>>
}

// CHECK-LABEL: func.func @told(
// CHECK: loop.size n = %x, 0
