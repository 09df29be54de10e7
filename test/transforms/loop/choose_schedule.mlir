// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/wide.toml}" | FileCheck %s
// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/wide.toml},apply-schedule,lower-loop" | FileCheck %s --check-prefix=RUNS
// Schedules from shapes, strides and the machine alone.

// CHECK: func.func @matmul({{.*}} attributes {loop.schedule = "loop-tile{axis=j size=48 clamp=false only=mm},loop-pack{value=B axes=k,j first=true only=mm},loop-vectorize{axes=j only=pack_B},loop-prefetch{value=B distance=16384 only=pack_B},loop-tile{axis=i size=9 only=mm},loop-vectorize{axes=i,j only=mm}"}
// RUNS: func.func @matmul
func.func @matmul(%A: tensor<512x512xf32>, %B: tensor<512x512xf32>) -> tensor<512x512xf32> {
  %acc = loop.stage mm [i: 512, j: 512, k: 512] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<512x512xf32>
}

// CHECK: func.func @turned({{.*}} attributes {loop.schedule = "loop-pack{value=B axes=k,j only=mm},loop-split{axis=k size=16 only=pack_B},loop-split{axis=j size=16 only=pack_B},loop-vectorize{axes=k,j only=pack_B},loop-tile{axis=i size=4 only=mm},loop-vectorize{axes=i,j only=mm}"}
// RUNS: func.func @turned
func.func @turned(%A: tensor<64x48xf32>, %B: tensor<80x48xf32>) -> tensor<64x80xf32> {
  %acc = loop.stage mm [i: 64, j: 80, k: 48] (%a = %A[i, k], %b = %B[j, k]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<64x80xf32>
}

// CHECK: func.func @softmax({{.*}} attributes {loop.schedule = "loop-tile{axis=i size=4 only=max,exp,scale},loop-split{axis=j size=32 only=max,exp,scale},loop-vectorize{axes=i,j only=max,exp,scale}"}
// RUNS: func.func @softmax
func.func @softmax(%X: tensor<64x1000xf32>) -> tensor<64x1000xf32> {
  %m = loop.stage max [i: 64, j: 1000] (%x = %X[i, j]) -> max [i] {
    loop.yield %x : f32
  }
  %e, %s = loop.stage exp [i: 64, j: 1000] (%x = %X[i, j], %t = %m[i]) -> [i, j], add [i] {
    %d = arith.subf %x, %t : f32
    %p = math.exp %d : f32
    loop.yield %p, %p : f32, f32
  }
  %Y = loop.stage scale [i: 64, j: 1000] (%a = %e[i, j], %b = %s[i]) -> [i, j] {
    %p = arith.divf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %Y : tensor<64x1000xf32>
}

// CHECK: func.func @muladd({{.*}} attributes {loop.schedule = "loop-tile{axis=i size=64 only=e},loop-vectorize{axes=i only=e},loop-stream{only=e}"}
// RUNS: func.func @muladd
func.func @muladd(%a: tensor<16777216xf32>, %b: tensor<16777216xf32>) -> tensor<16777216xf32> {
  %y = loop.stage e [i: 16777216] (%x = %a[i], %z = %b[i]) -> [i] {
    %p = arith.mulf %x, %z : f32
    loop.yield %p : f32
  }
  func.return %y : tensor<16777216xf32>
}

// CHECK: func.func @transpose({{.*}} attributes {loop.schedule = "loop-tile{axis=i size=8 only=tr},loop-tile{axis=j size=8 only=tr},loop-vectorize{axes=i,j only=tr},loop-stream{only=tr}"}
// RUNS: func.func @transpose
func.func @transpose(%x: tensor<1024x1000xf64>) -> tensor<1000x1024xf64> {
  %y = loop.stage tr [i: 1000, j: 1024] (%a = %x[j, i]) -> [i, j] {
    loop.yield %a : f64
  }
  func.return %y : tensor<1000x1024xf64>
}

// CHECK: func.func @columns({{.*}} attributes {loop.schedule = "loop-tile{axis=i size=16 only=cs},loop-tile{axis=j size=64 only=cs},loop-vectorize{axes=j only=cs}"}
// RUNS: func.func @columns
func.func @columns(%x: tensor<1024x1000xi32>) -> tensor<1000xi32> {
  %y = loop.stage cs [i: 1024, j: 1000] (%a = %x[i, j]) -> add [j] {
    loop.yield %a : i32
  }
  func.return %y : tensor<1000xi32>
}

// CHECK: func.func @against_strides({{.*}} attributes {loop.schedule = "loop-reorder{axes=i,j only=sum},loop-split{axis=j size=128 only=sum},loop-vectorize{axes=j only=sum}"}
// RUNS: func.func @against_strides
func.func @against_strides(%x: tensor<4096x4096xf32>) -> tensor<f32> {
  %s = loop.stage sum [j: 4096, i: 4096] (%a = %x[i, j]) -> add [] {
    loop.yield %a : f32
  }
  func.return %s : tensor<f32>
}

// CHECK: func.func @tiny({{.*}} attributes {loop.schedule = ""}
// RUNS: func.func @tiny
func.func @tiny(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %y = loop.stage tr [i: 2, j: 2] (%a = %x[j, i]) -> [i, j] {
    loop.yield %a : f32
  }
  func.return %y : tensor<2x2xf32>
}

// Pieces that share nothing but columns are copied one after the other, past the caches where the whole is large.
// CHECK: func.func @pieces({{.*}} attributes {loop.schedule = "loop-tile{axis=i size=1 only=p},loop-tile{axis=j size=64 only=p},loop-vectorize{axes=j only=p},loop-tile{axis=k size=1 only=q},loop-tile{axis=j size=64 only=q},loop-vectorize{axes=j only=q},loop-stream{only=p,q}"}
// RUNS: func.func @pieces
func.func @pieces(%x: tensor<8192x1024xf32>, %y: tensor<8192x1024xf32>) -> tensor<16384x1024xf32> {
  %p = loop.stage p [i: 8192, j: 1024] (%a = %x[i, j]) -> [i, j] {
    loop.yield %a : f32
  }
  %q = loop.stage q [k: 8192, j: 1024] (%a = %y[k, j]) -> [k, j] {
    loop.yield %a : f32
  }
  %r = loop.join (%p at [0, 0], %q at [8192, 0]) : tensor<16384x1024xf32>
  func.return %r : tensor<16384x1024xf32>
}

// What has few points does not narrow the vectors: lanes of f32 next to results of i64.
// CHECK: func.func @mixed({{.*}} attributes {loop.schedule = "loop-tile{axis=i size=4 only=m,w},loop-split{axis=j size=64 only=m,w},loop-vectorize{axes=i,j only=m,w}"}
// RUNS: func.func @mixed
func.func @mixed(%x: tensor<64x1024xf32>) -> tensor<64xi64> {
  %m = loop.stage m [i: 64, j: 1024] (%a = %x[i, j]) -> max [i] {
    loop.yield %a : f32
  }
  %w = loop.stage w [i: 64] (%a = %m[i]) -> [i] {
    %b = arith.fptosi %a : f32 to i64
    loop.yield %b : i64
  }
  func.return %w : tensor<64xi64>
}

// Each stage goes over many short lines, in blocks of equal size, before the next one begins.
// CHECK: func.func @short({{.*}} attributes {loop.schedule = "loop-tile{axis=i size=56 only=max,exp,scale},loop-tile{axis=i size=8 only=max},loop-tile{axis=i size=8 only=exp},loop-tile{axis=i size=8 only=scale},loop-vectorize{axes=i,j only=max,exp,scale}"}
// RUNS: func.func @short
func.func @short(%X: tensor<100x30xf32>) -> tensor<100x30xf32> {
  %m = loop.stage max [i: 100, j: 30] (%x = %X[i, j]) -> max [i] {
    loop.yield %x : f32
  }
  %e, %s = loop.stage exp [i: 100, j: 30] (%x = %X[i, j], %y = %m[i]) -> [i, j], add [i] {
    %d = arith.subf %x, %y : f32
    %p = math.exp %d : f32
    loop.yield %p, %p : f32, f32
  }
  %r = loop.stage scale [i: 100, j: 30] (%x = %e[i, j], %y = %s[i]) -> [i, j] {
    %q = arith.divf %x, %y : f32
    loop.yield %q : f32
  }
  func.return %r : tensor<100x30xf32>
}

// Lines that come from memory and are read again: the next ones are asked for while these are read for the last time.
// CHECK: func.func @far({{.*}} attributes {loop.schedule = "loop-tile{axis=i size=4 only=max,exp,scale},loop-split{axis=j size=32 only=max,exp,scale},loop-vectorize{axes=i,j only=max,exp,scale},loop-stream{only=scale},loop-prefetch{value=X distance=16384 only=exp}"}
// RUNS: func.func @far
func.func @far(%X: tensor<8192x1024xf32>) -> tensor<8192x1024xf32> {
  %m = loop.stage max [i: 8192, j: 1024] (%x = %X[i, j]) -> max [i] {
    loop.yield %x : f32
  }
  %e, %s = loop.stage exp [i: 8192, j: 1024] (%x = %X[i, j], %y = %m[i]) -> [i, j], add [i] {
    %d = arith.subf %x, %y : f32
    %z = math.exp %d : f32
    loop.yield %z, %z : f32, f32
  }
  %r = loop.stage scale [i: 8192, j: 1024] (%x = %e[i, j], %y = %s[i]) -> [i, j] {
    %q = arith.divf %x, %y : f32
    loop.yield %q : f32
  }
  func.return %r : tensor<8192x1024xf32>
}

// Lines that lie a power of two apart share their places in caches: each stage goes along memory, a few lines at a time.
// CHECK: func.func @apart({{.*}} attributes {loop.schedule = "loop-tile{axis=i size=4 only=m},loop-tile{axis=j size=64 only=m},loop-tile{axis=i size=4 only=s},loop-tile{axis=j size=64 only=s},loop-vectorize{axes=j only=m,s}"}
// RUNS: func.func @apart
func.func @apart(%x: tensor<1024x1024xf32>) -> tensor<1024xf32> {
  %m = loop.stage m [i: 1024, j: 1024] (%a = %x[i, j]) -> max [j] {
    loop.yield %a : f32
  }
  %s = loop.stage s [i: 1024, j: 1024] (%a = %x[i, j], %b = %m[j]) -> add [j] {
    %d = arith.subf %a, %b : f32
    loop.yield %d : f32
  }
  func.return %s : tensor<1024xf32>
}

// CHECK: func.func @near({{.*}} attributes {loop.schedule = "loop-tile{axis=j size=64 only=m,s},loop-vectorize{axes=j only=m,s}"}
// RUNS: func.func @near
func.func @near(%x: tensor<1000x1000xf32>) -> tensor<1000xf32> {
  %m = loop.stage m [i: 1000, j: 1000] (%a = %x[i, j]) -> max [j] {
    loop.yield %a : f32
  }
  %s = loop.stage s [i: 1000, j: 1000] (%a = %x[i, j], %b = %m[j]) -> add [j] {
    %d = arith.subf %a, %b : f32
    loop.yield %d : f32
  }
  func.return %s : tensor<1000xf32>
}
