// RUN: mlc-opt %s -p "nd-to-loop,choose-schedule{machine=%test/transforms/loop/wide.toml}" | FileCheck %s
// RUN: mlc-opt %s -p "nd-to-loop,choose-schedule{machine=%test/transforms/loop/wide.toml},apply-schedule,lower-loop" | FileCheck %s --check-prefix=RUNS
// What a loop carries stays in registers: a few vectors of lines that lie side by side, or several lines at once.

// CHECK: func.func @columns({{.*}} attributes {loop.schedule = "loop-tile{axis=j size=256 only=init,cumulative_sum},loop-vectorize{axes=j only=init,cumulative_sum}"}
// RUNS: func.func @columns
// RUNS: scf.for {{.*}} iter_args({{.*}}) -> (vector<256xf32>)
func.func @columns(%x: tensor<100x1000xf32>) -> tensor<100x1000xf32> {
  %0 = nd.cumulative sum %x along [0] : tensor<100x1000xf32>
  func.return %0 : tensor<100x1000xf32>
}

// CHECK: func.func @rows({{.*}} attributes {loop.schedule = "loop-tile{axis=i size=8 only=init,cumulative_sum},loop-vectorize{axes=i only=init,cumulative_sum}"}
// RUNS: func.func @rows
// RUNS: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>)
func.func @rows(%x: tensor<1000x100xf32>) -> tensor<1000x100xf32> {
  %0 = nd.cumulative sum %x along [1] : tensor<1000x100xf32>
  func.return %0 : tensor<1000x100xf32>
}

// One line: a scalar is carried.
// RUNS: func.func @line
// RUNS: scf.for {{.*}} iter_args({{.*}}) -> (f32)
func.func @line(%x: tensor<1000xf32>) -> tensor<1000xf32> {
  %0 = nd.cumulative sum %x along [0] : tensor<1000xf32>
  func.return %0 : tensor<1000xf32>
}

// CHECK: func.func @middle({{.*}} attributes {loop.schedule = "loop-tile{axis=i size=1 only=init,cumulative_sum},loop-vectorize{axes=k only=init,cumulative_sum}"}
func.func @middle(%x: tensor<10x100x64xf32>) -> tensor<10x100x64xf32> {
  %0 = nd.cumulative sum %x along [1] : tensor<10x100x64xf32>
  func.return %0 : tensor<10x100x64xf32>
}
