// RUN: mlc-opt %s -p "loop-reorder" | FileCheck %s
// Row order from strides alone; a column-major operand is walked in column order as it was.

func.func @sum(%x: tensor<4096x4096xf32>) -> tensor<f32> {
  %s = loop.stage sum [j: 4096, i: 4096] (%a = %x[i, j]) -> add [] {
    loop.yield %a : f32
  }
  func.return %s : tensor<f32>
}
func.func @column_major(%x: tensor<4096x4096xf32> {mlc.layout = strided<[1, 4096]>}) -> tensor<f32> {
  %s = loop.stage sum [j: 4096, i: 4096] (%a = %x[i, j]) -> add [] {
    loop.yield %a : f32
  }
  func.return %s : tensor<f32>
}

// CHECK-LABEL: func.func @sum(%x: tensor<4096x4096xf32>) -> tensor<f32>
// CHECK: %s = loop.stage sum [i: 4096, j: 4096] (%a = %x[i, j]) -> add [] {
// CHECK: loop.yield %a : f32
// CHECK: func.return %s : tensor<f32>
// CHECK: func.func @column_major(%x: tensor<4096x4096xf32> {mlc.layout = strided<[1, 4096]>}) -> tensor<f32> {
// CHECK: %s = loop.stage sum [j: 4096, i: 4096] (%a = %x[i, j]) -> add [] {
// CHECK: loop.yield %a : f32
// CHECK: func.return %s : tensor<f32>
