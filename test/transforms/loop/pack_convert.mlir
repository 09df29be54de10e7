// RUN: mlc-opt %s -p "loop-tile{axis=j size=32},loop-pack{value=B axes=k,j convert=true}" | FileCheck %s
// The copy holds what its reader computes of the value alone; what reads another value too stays.

// CHECK-LABEL: @matmul
// CHECK: %pack_B = loop.stage pack_B [k: 64, j: 32] (%b = %B[k, j + j0]) -> [k, j] {
// CHECK-NEXT: %y = arith.extf %b : f16 to f32
// CHECK-NEXT: loop.yield %y : f32
// CHECK: loop.stage mm [i: 64, j: 32, k: 64] (%a = %A[i, k], %{{.*}} = %pack_B[k, j]) -> add [i, j] {
// CHECK-NEXT: %x = arith.extf %a : f16 to f32
// CHECK-NEXT: %p = arith.mulf %x, %{{.*}} : f32
func.func @matmul(%A: tensor<64x64xf16>, %B: tensor<64x64xf16>) -> tensor<64x64xf32> {
  %C = loop.stage mm [i: 64, j: 64, k: 64] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %x = arith.extf %a : f16 to f32
    %y = arith.extf %b : f16 to f32
    %p = arith.mulf %x, %y : f32
    loop.yield %p : f32
  }
  func.return %C : tensor<64x64xf32>
}
