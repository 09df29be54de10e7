// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/wide.toml threads=2}" | FileCheck %s
// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/wide.toml threads=2},apply-schedule,lower-loop" | FileCheck %s --check-prefix=RUNS
// RUN: mlc-opt %s -p "choose-schedule{machine=%test/transforms/loop/wide.toml threads=1}" | FileCheck %s --check-prefix=ONE
// Blocks along an axis that all results are spread over, where there is work enough; everything else inside of a block.
// A product that packs its right operand shares columns, so that nothing is packed twice.
// ONE-NOT: parallel

// CHECK: func.func @matmul({{.*}} attributes {loop.schedule = "loop-tile{axis=j size=64 kind=parallel only=mm},loop-tile{axis=j size=32 only=mm},loop-pack{value=B axes=k,j first=true only=mm},
// RUNS: func.func @matmul
// RUNS: scf.parallel
func.func @matmul(%A: tensor<512x512xf32>, %B: tensor<512x512xf32>) -> tensor<512x512xf32> {
  %acc = loop.stage mm [i: 512, j: 512, k: 512] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<512x512xf32>
}

// One row against a matrix: the columns are shared.
// CHECK: func.func @row({{.*}} attributes {loop.schedule = "loop-tile{axis=j size={{[0-9]+}} kind=parallel only=mm},
// RUNS: func.func @row
// RUNS: scf.parallel
func.func @row(%A: tensor<1x4096xf32>, %B: tensor<4096x4096xf32>) -> tensor<1x4096xf32> {
  %acc = loop.stage mm [i: 1, j: 4096, k: 4096] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<1x4096xf32>
}

// CHECK: func.func @softmax({{.*}} attributes {loop.schedule = "loop-tile{axis=i size=80 kind=parallel only=max,exp,scale},loop-tile{axis=i size=4 only=max,exp,scale},
// RUNS: func.func @softmax
// RUNS: scf.parallel
func.func @softmax(%X: tensor<640x1000xf32>) -> tensor<640x1000xf32> {
  %m = loop.stage max [i: 640, j: 1000] (%x = %X[i, j]) -> max [i] {
    loop.yield %x : f32
  }
  %e, %s = loop.stage exp [i: 640, j: 1000] (%x = %X[i, j], %t = %m[i]) -> [i, j], add [i] {
    %d = arith.subf %x, %t : f32
    %p = math.exp %d : f32
    loop.yield %p, %p : f32, f32
  }
  %Y = loop.stage scale [i: 640, j: 1000] (%a = %e[i, j], %b = %s[i]) -> [i, j] {
    %p = arith.divf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %Y : tensor<640x1000xf32>
}

// Nothing but a reduced axis: one thread.
// CHECK: func.func @sum({{.*}} attributes {loop.schedule = "loop-split{axis=i size=128 only=sum},loop-vectorize{axes=i only=sum}"}
// RUNS: func.func @sum
// RUNS-NOT: scf.parallel
func.func @sum(%x: tensor<4000000xf32>) -> tensor<f32> {
  %s = loop.stage sum [i: 4000000] (%a = %x[i]) -> add [] {
    loop.yield %a : f32
  }
  func.return %s : tensor<f32>
}

// Too little to wake a thread for.
// CHECK: func.func @small({{.*}} attributes {loop.schedule = "loop-tile{axis=i size=64 only=s},loop-vectorize{axes=i only=s}"}
func.func @small(%x: tensor<1024xf32>) -> tensor<1024xf32> {
  %y = loop.stage s [i: 1024] (%a = %x[i]) -> [i] {
    %b = arith.addf %a, %a : f32
    loop.yield %b : f32
  }
  func.return %y : tensor<1024xf32>
}

// One lane left over would cost a vector on one thread, one row costs less.
// CHECK: func.func @odd({{.*}} attributes {loop.schedule = "loop-tile{axis=i size={{[0-9]+}} kind=parallel only=mm},
// RUNS: func.func @odd
// ONE: func.func @odd
func.func @odd(%A: tensor<257x160xf32>, %B: tensor<160x257xf32>) -> tensor<257x257xf32> {
  %acc = loop.stage mm [i: 257, j: 257, k: 160] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %acc : tensor<257x257xf32>
}
