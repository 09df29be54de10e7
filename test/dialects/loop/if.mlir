// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --mlir-print-op-generic | mlc-opt | FileCheck %s
// Two versions of one value, chosen by a run-time extent that loop.size names.

func.func @if(%x: tensor<?xf32, #nd.sym<n>>) -> tensor<?xf32, #nd.sym<n>> {
  loop.size n = %x, 0
  %y = loop.if n >= 4 {
    %t = loop.for i0 = n step 4 clamp -> [i0] {
      %u = loop.stage neg [i: 4] (%a = %x[i + i0]) -> [i] {
        %b = arith.negf %a : f32
        loop.yield %b : f32
      }
      loop.yield %u : tensor<4xf32>
    }
    loop.yield %t : tensor<?xf32, #nd.sym<n>>
  } else {
    %t = loop.stage neg [i: n] (%a = %x[i]) -> [i] {
      %b = arith.negf %a : f32
      loop.yield %b : f32
    }
    loop.yield %t : tensor<?xf32, #nd.sym<n>>
  }
  func.return %y : tensor<?xf32, #nd.sym<n>>
}

// CHECK-LABEL: func.func @if(%x: tensor<?xf32, #nd.sym<n>>) -> tensor<?xf32, #nd.sym<n>>
// CHECK: loop.size n = %x, 0
// CHECK: %y = loop.if n >= 4 {
// CHECK: %t = loop.for i0 = n step 4 clamp -> [i0] {
// CHECK: %u = loop.stage neg [i: 4] (%a = %x[i + i0]) -> [i] {
// CHECK: %b = arith.negf %a : f32
// CHECK: loop.yield %b : f32
// CHECK: loop.yield %u : tensor<4xf32>
// CHECK: loop.yield %t : tensor<?xf32, #nd.sym<n>>
// CHECK: } else {
// CHECK: %t_1 = loop.stage neg [i: n] (%a_1 = %x[i]) -> [i] {
// CHECK: %b_1 = arith.negf %a_1 : f32
// CHECK: loop.yield %b_1 : f32
// CHECK: loop.yield %t_1 : tensor<?xf32, #nd.sym<n>>
// CHECK: func.return %y : tensor<?xf32, #nd.sym<n>>
