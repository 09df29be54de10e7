// RUN: mlc-opt %s -p "graph-fuse,graph-outline,nd-to-loop,choose-schedule{machine=%S/wide.toml}" --split-input-file | FileCheck %s
// RUN: mlc-opt %s -p "graph-fuse,graph-outline,nd-to-loop,choose-schedule{machine=%S/wide.toml threads=2}" --split-input-file | FileCheck %s --check-prefix=TWO
// Contractions that feed each other have one loop over rows. Keys come in panels; long lines of them in blocks with a
// running maximum; loops over masked keys end early. What does not fit an even panel is done plainly. Tiles have as many
// rows as leave the fewest to compute again.

// CHECK-LABEL: func.func private @matmul_mul_max_matmul_mul(
// CHECK-SAME: loop-split{axis=k size=32 only=mm,mul},loop-pack{value=k axes=k0,m,k only=mm}
// CHECK-SAME: loop-tile{axis=j size=8 only=mm,mul,max,select,exp_sum,div,mm_1,mul_1},loop-nest{axis=k0 only=mm,mul},loop-vectorize{axes=j,k only=mm,mul}
// CHECK-NOT: rescale
// CHECK-NOT: skip
// TWO-LABEL: func.func private @matmul_mul_max_matmul_mul(
// TWO-SAME: loop-tile{axis=i size=1 kind=parallel
func.func @short(%q: tensor<8x256x64xf32>, %k: tensor<8x256x64xf32>, %v: tensor<8x256x64xf32>) -> tensor<8x256x64xf32> {
  %0 = nd.attention %q, %k, %v "b q d, b k d, b k e -> b q e" scale 0.125 : (tensor<8x256x64xf32>, tensor<8x256x64xf32>, tensor<8x256x64xf32>) -> tensor<8x256x64xf32>
  func.return %0 : tensor<8x256x64xf32>
}

// -----

// CHECK-LABEL: func.func private @matmul_mul_compare_matmul_mul(
// CHECK-SAME: loop-split{axis=k size=512 only=mm,select,max,exp_sum,mm_1}
// CHECK-SAME: loop-tile{axis=j size=32 {{.*}}loop-rescale{axis=k0 {{.*}}loop-tile{axis=j size=8 
// CHECK-SAME: loop-partial{axis=k parts=16 only=max,exp_sum},loop-nest{axis=k1 only=max},loop-nest{axis=k1 only=exp_sum},loop-vectorize{axes=j,k2 only=max,exp_sum,max_total,exp_sum_total}
// CHECK-SAME: loop-skip
func.func @long(%q: tensor<8x2048x64xf32>, %k: tensor<8x2048x64xf32>, %v: tensor<8x2048x64xf32>) -> tensor<8x2048x64xf32> {
  %0 = nd.attention %q, %k, %v "b q d, b k d, b k e -> b q e" scale 0.125 causal : (tensor<8x2048x64xf32>, tensor<8x2048x64xf32>, tensor<8x2048x64xf32>) -> tensor<8x2048x64xf32>
  func.return %0 : tensor<8x2048x64xf32>
}

// -----

// CHECK-LABEL: func.func private @matmul_mul_compare_matmul_mul(
// CHECK-SAME: loop-pack{value=k axes=m,k only=mm}
// CHECK-SAME: loop-tile{axis=j size=10 only=mm
// CHECK-NOT: skip
func.func @odd(%q: tensor<8x100x64xf32>, %k: tensor<8x100x64xf32>, %v: tensor<8x100x64xf32>) -> tensor<8x100x64xf32> {
  %0 = nd.attention %q, %k, %v "b q d, b k d, b k e -> b q e" scale 0.125 causal : (tensor<8x100x64xf32>, tensor<8x100x64xf32>, tensor<8x100x64xf32>) -> tensor<8x100x64xf32>
  func.return %0 : tensor<8x100x64xf32>
}
