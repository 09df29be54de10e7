// RUN: mlc-opt %s --split-input-file --verify-diagnostics

func.func @case0(%x: memref<64x64xf16>, %i: index) {
  // expected-error @+1 {{expected workgroup memory as destination, found memref<64x64xf16>}}
  %t = nvgpu.device_async_copy %x[%i, %i], %x[%i, %i], 8 : memref<64x64xf16> to memref<64x64xf16>
  func.return
}

// -----

func.func @case1(%x: memref<64xf16>, %s: memref<64xf32, #gpu.address_space<workgroup>>, %i: index) {
  // expected-error @+1 {{expected memory of one element type}}
  %t = nvgpu.device_async_copy %x[%i], %s[%i], 4 : memref<64xf16> to memref<64xf32, #gpu.address_space<workgroup>>
  func.return
}

// -----

func.func @case2(%x: memref<64x64xf16>, %s: memref<64xf16, #gpu.address_space<workgroup>>, %i: index) {
  // expected-error @+1 {{expected 2 indices of the source, found 1}}
  %t = nvgpu.device_async_copy %x[%i], %s[%i], 8 : memref<64x64xf16> to memref<64xf16, #gpu.address_space<workgroup>>
  func.return
}

// -----

func.func @case3(%x: memref<64xf16>, %s: memref<64xf16, #gpu.address_space<workgroup>>, %i: index) {
  // expected-error @+1 {{expected 2, 4, 8 elements of 16 bits, found 3}}
  %t = nvgpu.device_async_copy %x[%i], %s[%i], 3 : memref<64xf16> to memref<64xf16, #gpu.address_space<workgroup>>
  func.return
}

// -----

func.func @case4(%x: memref<64xf16>, %s: memref<64xf16, #gpu.address_space<workgroup>>, %i: index) {
  // expected-error @+1 {{expected bypassL1 with 8 elements, found 4}}
  %t = nvgpu.device_async_copy %x[%i], %s[%i], 4 {bypassL1} : memref<64xf16> to memref<64xf16, #gpu.address_space<workgroup>>
  func.return
}

// -----

func.func @case5(%x: memref<8x8xf16, strided<[1, 8]>>, %s: memref<64xf16, #gpu.address_space<workgroup>>, %i: index) {
  // expected-error @+1 {{expected a source whose last dimension has stride 1}}
  %t = nvgpu.device_async_copy %x[%i, %i], %s[%i], 4 : memref<8x8xf16, strided<[1, 8]>> to memref<64xf16, #gpu.address_space<workgroup>>
  func.return
}

// -----

func.func @case6(%g: !nvgpu.device.async.token) {
  // expected-error @+1 {{expected a number of groups of type i32, at least 0}}
  nvgpu.device_async_wait %g {numGroups = -1 : i32}
  func.return
}

// -----

func.func @case7(%s: memref<64x64xf16>, %i: index) {
  // expected-error @+1 {{expected workgroup memory as source}}
  %a = nvgpu.ldmatrix %s[%i, %i] {numTiles = 4 : i32, transpose = true} : memref<64x64xf16> -> vector<4x2xf16>
  func.return
}

// -----

func.func @case8(%s: memref<64x64xf16, #gpu.address_space<workgroup>>, %i: index) {
  // expected-error @+1 {{expected 1, 2 or 4 tiles, found 3}}
  %a = nvgpu.ldmatrix %s[%i, %i] {numTiles = 3 : i32, transpose = true} : memref<64x64xf16, #gpu.address_space<workgroup>> -> vector<3x2xf16>
  func.return
}

// -----

func.func @case9(%s: memref<64x64xf32, #gpu.address_space<workgroup>>, %i: index) {
  // expected-error @+1 {{expected elements of 16 bits to transpose, found f32}}
  %a = nvgpu.ldmatrix %s[%i, %i] {numTiles = 4 : i32, transpose = true} : memref<64x64xf32, #gpu.address_space<workgroup>> -> vector<4x1xf32>
  func.return
}

// -----

func.func @case10(%s: memref<64x64xf16, #gpu.address_space<workgroup>>, %i: index) {
  // expected-error @+1 {{expected a result of type vector<4x2xf16>, found vector<2x4xf16>}}
  %a = nvgpu.ldmatrix %s[%i, %i] {numTiles = 4 : i32, transpose = true} : memref<64x64xf16, #gpu.address_space<workgroup>> -> vector<2x4xf16>
  func.return
}

// -----

func.func @case11(%a: vector<4x2xf16>, %b: vector<2x2xf16>, %c: vector<2x2xf32>) {
  // expected-error @+1 {{expected a shape of [16, 8, 8] or [16, 8, 16]}}
  %r = nvgpu.mma.sync(%a, %b, %c) {mmaShape = [16, 8, 32]} : (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>
  func.return
}

// -----

func.func @case12(%a: vector<4x2xf16>, %b: vector<4x1xf16>, %c: vector<2x2xf32>) {
  // expected-error @+1 {{expected b of shape [2, 2], found vector<4x1xf16>}}
  %r = nvgpu.mma.sync(%a, %b, %c) {mmaShape = [16, 8, 16]} : (vector<4x2xf16>, vector<4x1xf16>, vector<2x2xf32>) -> vector<2x2xf32>
  func.return
}

// -----

func.func @case13(%a: vector<4x1xf32>, %b: vector<2x1xf32>, %c: vector<2x2xf32>) {
  // expected-error @+1 {{expected tf32Enabled with elements of f32 and no others}}
  %r = nvgpu.mma.sync(%a, %b, %c) {mmaShape = [16, 8, 8]} : (vector<4x1xf32>, vector<2x1xf32>, vector<2x2xf32>) -> vector<2x2xf32>
  func.return
}

// -----

func.func @case14(%a: vector<4x2xbf16>, %b: vector<2x2xbf16>, %c: vector<2x2xbf16>) {
  // expected-error @+1 {{expected elements that tensor cores multiply and add, found bf16 and bf16}}
  %r = nvgpu.mma.sync(%a, %b, %c) {mmaShape = [16, 8, 16]} : (vector<4x2xbf16>, vector<2x2xbf16>, vector<2x2xbf16>) -> vector<2x2xbf16>
  func.return
}
