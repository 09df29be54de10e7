// RUN: mlc-opt %s --explain=compute-poor,bandwidth-poor --numerics=fast | FileCheck %s
// RUN: mlc-opt %s --explain=h100 -p canonicalize | FileCheck %s --check-prefix=GPU
// RUN: not mlc-opt %s --explain=h1 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not mlc-opt %s --measure 2>&1 | FileCheck %s --check-prefix=ALONE
// RUN: not mlc-tune --calibrate %s 2>&1 | FileCheck %s --check-prefix=NO-PROGRAM

// CHECK: step {{.*}} compute-poor  ops  kernels {{.*}} bytes  bandwidth-poor  ops  kernels {{.*}} bytes
// CHECK-NEXT: input, unfused {{.*}} us    3        3  {{.*}} kB {{.*}} us    3        3  {{.*}} kB
// CHECK-NEXT: input {{.*}} us    3        1 {{.*}} us    3        1
// CHECK-NEXT: canonicalize {{.*}} us    1        1 {{.*}} us    1        1
// CHECK-NEXT: winograd {{.*}} MB               -{{$}}
// CHECK: at the end {{.*}} operations {{.*}} math {{.*}} memory {{.*}} launch
// CHECK-NEXT: compute-poor
// CHECK-NEXT: bandwidth-poor
// CHECK: different programs at the end: 2 (compute-poor; bandwidth-poor)

// GPU: step            h100
// GPU: canonicalize
// GPU-NOT: assign-layout
// GPU: h100 {{.*}} us {{.*}} 1.40 us

// UNKNOWN: error: machine description: expected a readable file, host or one of {{.*}}h100{{.*}}, found h1
// ALONE: error: --measure: expected --explain with it
// NO-PROGRAM: error: --calibrate: expected no program, found {{.*}}explain.mlir

func.func @main(%x: tensor<1x16x28x28xf32>, %w: tensor<16x16x3x3xf32>) -> tensor<1x16x26x26xf32> {
  %0 = nd.contract %x, %w "n c h+k w+l, f c k l -> n f h w" to tensor<1x16x26x26xf32> : (tensor<1x16x28x28xf32>, tensor<16x16x3x3xf32>) -> tensor<1x16x26x26xf32>
  %1 = nd.neg %0 : tensor<1x16x26x26xf32>
  %2 = nd.neg %1 : tensor<1x16x26x26xf32>
  func.return %2 : tensor<1x16x26x26xf32>
}
