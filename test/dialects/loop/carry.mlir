// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --mlir-print-op-generic | mlc-opt | FileCheck %s
// Carried values: each iteration sees what the one before yielded (a running maximum and its trace).

func.func @running_max(%x: tensor<8xf32>, %least: tensor<1xf32>) -> (tensor<1xf32>, tensor<8xf32>) {
  %m, %trace = loop.for i = 8 with (%before = %least) -> carry [0], [i] {
    %now = loop.stage larger [] (%a = %x[i], %b = %before[0]) -> [0] {
      %c = arith.maximumf %a, %b : f32
      loop.yield %c : f32
    }
    %copy = loop.stage copy [] (%a = %now[0]) -> [0] {
      loop.yield %a : f32
    }
    loop.yield %now, %copy : tensor<1xf32>, tensor<1xf32>
  }
  func.return %m, %trace : tensor<1xf32>, tensor<8xf32>
}

// CHECK-LABEL: func.func @running_max(%x: tensor<8xf32>, %least: tensor<1xf32>) -> (tensor<1xf32>, tensor<8xf32>)
// CHECK: %m, %trace = loop.for i = 8 with (%before = %least) -> carry [0], [i] {
// CHECK: %now = loop.stage larger [] (%a = %x[i], %b = %before[0]) -> [0] {
// CHECK: %c = arith.maximumf %a, %b : f32
// CHECK: loop.yield %c : f32
// CHECK: %copy = loop.stage copy [] (%a_1 = %now[0]) -> [0] {
// CHECK: loop.yield %a_1 : f32
// CHECK: loop.yield %now, %copy : tensor<1xf32>, tensor<1xf32>
// CHECK: func.return %m, %trace : tensor<1xf32>, tensor<8xf32>
