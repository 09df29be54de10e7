// RUN: mlc-opt %s -p 'winograd{tile=4}' --split-input-file | FileCheck %s
// RUN: mlc-opt %s -p 'winograd{tile=2}' --split-input-file | FileCheck %s --check-prefix=TWO
// RUN: mlc-opt %s -p 'winograd{tile=4 numerics=ieee}' --split-input-file | FileCheck %s --check-prefix=IEEE
// RUN: mlc-opt %s -p 'winograd{tile=4 numerics=exact}' --split-input-file | FileCheck %s --check-prefix=IEEE
// RUN: not mlc-opt %s -p 'winograd{tile=3}' --split-input-file 2>&1 | FileCheck %s --check-prefix=WRONG
// RUN: not mlc-opt %s -p 'winograd{numerics=best}' --split-input-file 2>&1 | FileCheck %s --check-prefix=LEVEL
// RUN: mlc-opt %s -p 'winograd{machine=%test/transforms/loop/wide.toml}' --split-input-file | FileCheck %s --check-prefix=CHOICE
// WRONG: error: winograd: expected a tile of 2 or 4, found 3
// LEVEL: error: expected numerics to be one of exact, ieee, fast, found best
// Tiles of 4 x 4 results; 56 are 14 tiles, which read 58 places. Those of 2 x 2 are transformed at once.

// CHECK-LABEL: @channels_first
// CHECK-NEXT: [[T:%.*]] = nd.transpose %x "a b c d -> a c d b"
// CHECK-NEXT: [[Z:%.*]] = nd.constant 0.0
// CHECK-NEXT: [[P:%.*]] = nd.pad [[T]], [[Z]] low [0, 1, 1, 0] high [0, 1, 1, 0] interior [0, 0, 0, 0] {{.*}} -> tensor<1x58x58x64xf32>
// CHECK-NEXT: [[B:%.*]] = nd.constant {{.*}} : tensor<6x6xf32>
// CHECK-NEXT: [[H:%.*]] = nd.contract [[B]], [[P]] "a b, c 4*d+b e f -> a c d e f" to tensor<6x1x14x58x64xf32>
// CHECK:      [[V:%.*]] = nd.contract {{.*}}, [[H]] "a b, c d e 4*f+b g -> c a d e f g" to tensor<6x6x1x14x14x64xf32>
// CHECK:      [[K:%.*]] = nd.contract {{.*}}, %w "a b, c d b e -> a e d c"
// CHECK:      [[U:%.*]] = nd.contract {{.*}}, [[K]] "a b, c b d e -> c a d e"
// CHECK-NEXT: [[M:%.*]] = nd.contract [[V]], [[U]] "a b c d e f, a b f g -> a b c d e g" : (tensor<6x6x1x14x14x64xf32>, tensor<6x6x64x32xf32>)
// CHECK:      [[R:%.*]] = nd.contract {{.*}}, [[M]] "a b, c b d e f g -> c d e f a g"
// CHECK:      [[Y:%.*]] = nd.contract {{.*}}, [[R]] "a b, b c d e f g -> c g d a e f"
// CHECK-NEXT: %y = nd.reshape [[Y]] : tensor<1x32x14x4x14x4xf32> -> tensor<1x32x56x56xf32>
// CHECK-NEXT: func.return %y
// TWO-LABEL:  @channels_first
// TWO:        nd.contract {{.*}} "a b c d, e 2*f+c 2*g+d h -> a b e f g h" to tensor<4x4x1x28x28x64xf32> : (tensor<4x4x4x4xf32>, tensor<1x58x58x64xf32>)
// TWO:        nd.reshape {{.*}} : tensor<1x32x28x2x28x2xf32> -> tensor<1x32x56x56xf32>
// IEEE-LABEL: @channels_first
// IEEE-NEXT:  nd.contract
func.func @channels_first(%x: tensor<1x64x56x56xf32>, %w: tensor<32x64x3x3xf32>) -> tensor<1x32x56x56xf32> {
  %y = nd.contract %x, %w "n c h+k-1 w+l-1, f c k l -> n f h w" to tensor<1x32x56x56xf32> : (tensor<1x64x56x56xf32>, tensor<32x64x3x3xf32>) -> tensor<1x32x56x56xf32>
  func.return %y : tensor<1x32x56x56xf32>
}

// -----
// Seven results are two tiles of four; the eighth is cut off. Nothing is moved before.

// CHECK-LABEL: @odd
// CHECK-NOT: nd.transpose
// CHECK: nd.pad %x, {{.*}} low [0, 1, 1, 0] high [0, 2, 1, 0]
// CHECK: nd.reshape {{.*}} -> tensor<1x8x8x16xf32>
// CHECK-NEXT: nd.slice {{.*}} -> tensor<1x7x8x16xf32>
// IEEE-LABEL: @odd
// IEEE-NEXT:  nd.contract
func.func @odd(%x: tensor<1x7x8x16xf32>, %w: tensor<3x3x16x16xf32>) -> tensor<1x7x8x16xf32> {
  %y = nd.contract %x, %w "n h+k-1 w+l-1 c, k l c f -> n h w f" to tensor<1x7x8x16xf32> : (tensor<1x7x8x16xf32>, tensor<3x3x16x16xf32>) -> tensor<1x7x8x16xf32>
  func.return %y : tensor<1x7x8x16xf32>
}

// -----
// One dimension, and a batch whose size is known at run time; without padding there is nothing to copy.

// CHECK-LABEL: @line
// CHECK-NOT: nd.pad
// CHECK: nd.contract {{.*}}, %x "a b, c 4*d+b e -> a c d e" to tensor<6x?x3x8xf32, #nd.sym<n>>
// CHECK: nd.contract {{.*}} "a b c d, a d e -> a b c e"
// CHECK: nd.reshape {{.*}} -> tensor<?x12x5xf32, #nd.sym<n>>
// IEEE-LABEL: @line
// IEEE-NEXT:  nd.contract
func.func @line(%x: tensor<?x14x8xf32, #nd.sym<n>>, %w: tensor<3x8x5xf32>) -> tensor<?x12x5xf32, #nd.sym<n>> {
  %y = nd.contract %x, %w "n h+k c, k c f -> n h f" to tensor<?x12x5xf32, #nd.sym<n>> : (tensor<?x14x8xf32, #nd.sym<n>>, tensor<3x8x5xf32>) -> tensor<?x12x5xf32, #nd.sym<n>>
  func.return %y : tensor<?x12x5xf32, #nd.sym<n>>
}

// -----
// The gradient for the input counts the taps backwards: so do the columns of its matrix.

// CHECK-LABEL: @gradient
// CHECK: nd.pad %y, {{.*}} low [0, 1, 0] high [0, 1, 0]
// CHECK: nd.constant {{\[\[}}0.0, 0.0, 1.0], {{.*}}, [1.0, 0.0, 0.0]] : tensor<6x3xf32>
// CHECK: nd.contract {{.*}}, %w "a b, b c d -> a d c"
// IEEE-LABEL: @gradient
// IEEE-NEXT:  nd.contract
func.func @gradient(%y: tensor<2x8x5xf32>, %w: tensor<3x4x5xf32>) -> tensor<2x8x4xf32> {
  %x = nd.contract %y, %w "n h-k+1 f, k c f -> n h c" to tensor<2x8x4xf32> : (tensor<2x8x5xf32>, tensor<3x4x5xf32>) -> tensor<2x8x4xf32>
  func.return %x : tensor<2x8x4xf32>
}

// -----
// Regions are rewritten, too.

// CHECK-LABEL: @region
// CHECK: nd.if
// CHECK: "a b c d, a d e -> a b c e"
// IEEE-LABEL: @region
// IEEE-NEXT:  nd.if
// IEEE-NEXT:  nd.contract
func.func @region(%p: tensor<i1>, %x: tensor<1x8x4xf32>, %w: tensor<3x4x4xf32>) -> tensor<1x8x4xf32> {
  %y = nd.if %p (%x1 = %x, %w1 = %w) -> (tensor<1x8x4xf32>) {
    %a = nd.contract %x1, %w1 "n h+k-1 c, k c f -> n h f" to tensor<1x8x4xf32> : (tensor<1x8x4xf32>, tensor<3x4x4xf32>) -> tensor<1x8x4xf32>
    nd.yield %a : tensor<1x8x4xf32>
  } else {
    nd.yield %x1 : tensor<1x8x4xf32>
  }
  func.return %y : tensor<1x8x4xf32>
}

// -----
// What stays: another stride, a dilation, groups, another type.

// CHECK-LABEL: @stays
// CHECK-NEXT: nd.contract {{.*}} "n 2*h+k-1 c
// CHECK-NEXT: nd.contract {{.*}} "n h+2*k-2 c
// CHECK-NEXT: nd.contract {{.*}} "n h+k-1 g c
// CHECK-NEXT: nd.contract {{.*}} "n h+k-1 c
// IEEE-LABEL: @stays
// IEEE-NEXT:  nd.contract
func.func @stays(%x: tensor<1x8x4xf32>, %w: tensor<3x4x4xf32>, %xg: tensor<1x8x2x4xf32>, %wg: tensor<3x2x4x4xf32>, %xh: tensor<1x8x4xf16>, %wh: tensor<3x4x4xf16>) -> (tensor<1x4x4xf32>, tensor<1x8x4xf32>, tensor<1x8x2x4xf32>, tensor<1x8x4xf16>) {
  %a = nd.contract %x, %w "n 2*h+k-1 c, k c f -> n h f" to tensor<1x4x4xf32> : (tensor<1x8x4xf32>, tensor<3x4x4xf32>) -> tensor<1x4x4xf32>
  %b = nd.contract %x, %w "n h+2*k-2 c, k c f -> n h f" to tensor<1x8x4xf32> : (tensor<1x8x4xf32>, tensor<3x4x4xf32>) -> tensor<1x8x4xf32>
  %c = nd.contract %xg, %wg "n h+k-1 g c, k g c f -> n h g f" to tensor<1x8x2x4xf32> : (tensor<1x8x2x4xf32>, tensor<3x2x4x4xf32>) -> tensor<1x8x2x4xf32>
  %d = nd.contract %xh, %wh "n h+k-1 c, k c f -> n h f" to tensor<1x8x4xf16> : (tensor<1x8x4xf16>, tensor<3x4x4xf16>) -> tensor<1x8x4xf16>
  func.return %a, %b, %c, %d : tensor<1x4x4xf32>, tensor<1x8x4xf32>, tensor<1x8x2x4xf32>, tensor<1x8x4xf16>
}

// -----
// Few channels: the transforms would move more than the products save.

// CHOICE-LABEL: @few
// CHOICE-NEXT: nd.contract {{.*}} "n h+k-1 w+l-1 c
func.func @few(%x: tensor<1x112x112x3xf32>, %w: tensor<3x3x3x64xf32>) -> tensor<1x112x112x64xf32> {
  %y = nd.contract %x, %w "n h+k-1 w+l-1 c, k l c f -> n h w f" to tensor<1x112x112x64xf32> : (tensor<1x112x112x3xf32>, tensor<3x3x3x64xf32>) -> tensor<1x112x112x64xf32>
  func.return %y : tensor<1x112x112x64xf32>
}

// -----
// Enough of them, and a small kernel: tiles of four.

// CHOICE-LABEL: @many
// CHOICE: tensor<6x6x1x14x14x128xf32>
func.func @many(%x: tensor<1x56x56x128xf32>, %w: tensor<3x3x128x128xf32>) -> tensor<1x56x56x128xf32> {
  %y = nd.contract %x, %w "n h+k-1 w+l-1 c, k l c f -> n h w f" to tensor<1x56x56x128xf32> : (tensor<1x56x56x128xf32>, tensor<3x3x128x128xf32>) -> tensor<1x56x56x128xf32>
  func.return %y : tensor<1x56x56x128xf32>
}

// -----
// A large kernel for a small image would have to be transformed with every call. As a constant it is transformed once;
// tiles of two waste less of the image and read less of the kernel.

// CHOICE-LABEL: @run_time
// CHOICE-NEXT: nd.contract {{.*}} "n h+k-1 w+l-1 c
// CHOICE-LABEL: @constant
// CHOICE: tensor<4x4x1x7x7x256xf32>
func.func @run_time(%x: tensor<1x14x14x256xf32>, %w: tensor<3x3x256x256xf32>) -> tensor<1x14x14x256xf32> {
  %y = nd.contract %x, %w "n h+k-1 w+l-1 c, k l c f -> n h w f" to tensor<1x14x14x256xf32> : (tensor<1x14x14x256xf32>, tensor<3x3x256x256xf32>) -> tensor<1x14x14x256xf32>
  func.return %y : tensor<1x14x14x256xf32>
}
func.func @constant(%x: tensor<1x14x14x256xf32>) -> tensor<1x14x14x256xf32> {
  %w = nd.resource "w", "6d1f3a0c5b2e49788f7a60d1c2b3e4f5" : tensor<3x3x256x256xf32>
  %y = nd.contract %x, %w "n h+k-1 w+l-1 c, k l c f -> n h w f" to tensor<1x14x14x256xf32> : (tensor<1x14x14x256xf32>, tensor<3x3x256x256xf32>) -> tensor<1x14x14x256xf32>
  func.return %y : tensor<1x14x14x256xf32>
}
