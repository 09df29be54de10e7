// RUN: mlc-opt %s | FileCheck %s
// RUN: mlc-opt %s | mlc-opt - | FileCheck %s
// Copies, tiles and products of tensor cores have upstream's syntax.

func.func @copies(%x: memref<64x64xf16>, %s: memref<64x64xf16, #gpu.address_space<workgroup>>, %i: index, %n: index) {
  %t = nvgpu.device_async_copy %x[%i, %i], %s[%i, %i], 8 {bypassL1} : memref<64x64xf16> to memref<64x64xf16, #gpu.address_space<workgroup>>
  %u = nvgpu.device_async_copy %x[%i, %i], %s[%i, %i], 4, %n : memref<64x64xf16> to memref<64x64xf16, #gpu.address_space<workgroup>>
  %g = nvgpu.device_async_create_group %t, %u
  %h = nvgpu.device_async_create_group
  nvgpu.device_async_wait %g {numGroups = 1 : i32}
  nvgpu.device_async_wait %h
  func.return
}
// CHECK-LABEL: @copies
// CHECK-NEXT: %t = nvgpu.device_async_copy %x[%i, %i], %s[%i, %i], 8 {bypassL1} : memref<64x64xf16> to memref<64x64xf16, #gpu.address_space<workgroup>>
// CHECK-NEXT: %u = nvgpu.device_async_copy %x[%i, %i], %s[%i, %i], 4, %n : memref<64x64xf16> to
// CHECK-NEXT: %g = nvgpu.device_async_create_group %t, %u
// CHECK-NEXT: %h = nvgpu.device_async_create_group{{ *}}
// CHECK-NEXT: nvgpu.device_async_wait %g {numGroups = 1 : i32}
// CHECK-NEXT: nvgpu.device_async_wait %h

func.func @products(%s: memref<64x64xf16, #gpu.address_space<workgroup>>, %i: index, %b: vector<2x2xf16>, %c: vector<2x2xf32>,
                    %ta: vector<4x1xf32>, %tb: vector<2x1xf32>, %ia: vector<4x4xi8>, %ib: vector<2x4xi8>, %ic: vector<2x2xi32>) {
  %a = nvgpu.ldmatrix %s[%i, %i] {numTiles = 4 : i32, transpose = false} : memref<64x64xf16, #gpu.address_space<workgroup>> -> vector<4x2xf16>
  %r = nvgpu.mma.sync(%a, %b, %c) {mmaShape = [16, 8, 16]} : (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>
  %t = nvgpu.mma.sync(%ta, %tb, %c) {mmaShape = [16, 8, 8], tf32Enabled} : (vector<4x1xf32>, vector<2x1xf32>, vector<2x2xf32>) -> vector<2x2xf32>
  %u = nvgpu.mma.sync(%ia, %ib, %ic) {mmaShape = [16, 8, 32]} : (vector<4x4xi8>, vector<2x4xi8>, vector<2x2xi32>) -> vector<2x2xi32>
  func.return
}
// CHECK-LABEL: @products
// CHECK-NEXT: %a = nvgpu.ldmatrix %s[%i, %i] {numTiles = 4 : i32, transpose = false} : memref<64x64xf16, #gpu.address_space<workgroup>> -> vector<4x2xf16>
// CHECK-NEXT: %r = nvgpu.mma.sync(%a, %b, %c) {mmaShape = [16 : i64, 8 : i64, 16 : i64]} : (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>
// CHECK-NEXT: %t = nvgpu.mma.sync(%ta, %tb, %c) {mmaShape = [16 : i64, 8 : i64, 8 : i64], tf32Enabled} :
// CHECK-NEXT: %u = nvgpu.mma.sync(%ia, %ib, %ic) {mmaShape = [16 : i64, 8 : i64, 32 : i64]} :
