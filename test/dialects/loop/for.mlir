// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --mlir-print-op-generic | mlc-opt | FileCheck %s
// A loop places tiles, also overlapping ones under clamp, or combines parts.

func.func @for(%x: tensor<10x8xf32>) -> (tensor<10x8xf32>, tensor<1xf32>) {
  %y = loop.for i0 = 10 step 4 clamp -> [i0, 0] {
    %t = loop.stage neg [i: 4, j: 8] (%a = %x[i + i0, j]) -> [i, j] {
      %n = arith.negf %a : f32
      loop.yield %n : f32
    }
    loop.yield %t : tensor<4x8xf32>
  }
  %s = loop.for i = 10 parallel -> add [0] {
    %t = loop.stage sum [j: 8] (%a = %x[i, j]) -> add [0] {
      loop.yield %a : f32
    }
    loop.yield %t : tensor<1xf32>
  }
  func.return %y, %s : tensor<10x8xf32>, tensor<1xf32>
}

// CHECK-LABEL: func.func @for(%x: tensor<10x8xf32>) -> (tensor<10x8xf32>, tensor<1xf32>)
// CHECK: %y = loop.for i0 = 10 step 4 clamp -> [i0, 0] {
// CHECK: %t = loop.stage neg [i: 4, j: 8] (%a = %x[i + i0, j]) -> [i, j] {
// CHECK: %n = arith.negf %a : f32
// CHECK: loop.yield %n : f32
// CHECK: loop.yield %t : tensor<4x8xf32>
// CHECK: %s = loop.for i = 10 parallel -> add [0] {
// CHECK: %t_1 = loop.stage sum [j: 8] (%a_1 = %x[i, j]) -> add [0] {
// CHECK: loop.yield %a_1 : f32
// CHECK: loop.yield %t_1 : tensor<1xf32>
// CHECK: func.return %y, %s : tensor<10x8xf32>, tensor<1xf32>
