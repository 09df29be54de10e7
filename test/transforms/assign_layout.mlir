// RUN: mlc-opt %s -p assign-layout --split-input-file | FileCheck %s
// RUN: mlc-opt %s -p assign-layout --split-input-file --mlir-print-debuginfo | FileCheck %s --check-prefix=PLACES

// Depthwise and pointwise convolutions, channels first: between the first and the last, channels are last. What the
// windows read is stored with its margin. Names and places stay.
// CHECK-LABEL: func.func @chain
// CHECK-NEXT:    %first = nd.contract %x, %v "a b c d, e b -> a c d e"
// CHECK-NEXT:    %bias = nd.broadcast %b "a -> b c d a"
// CHECK-NEXT:    %sum = nd.add %first, %bias
// CHECK-NEXT:    %0 = nd.constant 0.0
// CHECK-NEXT:    %relu = nd.max %sum, %0
// CHECK-NEXT:    %1 = nd.constant 0.0
// CHECK-NEXT:    %relu_1 = nd.pad %relu, %1 low [0, 1, 1, 0] high [0, 0, 0, 0] interior [0, 0, 0, 0]
// CHECK-NEXT:    %second = nd.contract %relu_1, %k "a 2*b+c 2*d+e f, f c e -> a b d f"
// CHECK-NEXT:    %third = nd.contract %second, %w "a b c d, e d -> a e b c"
// CHECK-NEXT:    func.return %third
// PLACES:        %relu_1 = nd.pad {{.*}}":24:3)
// PLACES:        %second = nd.contract {{.*}}":25:3)
func.func @chain(%x: tensor<1x32x28x28xf32>, %v: tensor<64x32xf32>, %k: tensor<64x3x3xf32>, %b: tensor<64xf32>, %w: tensor<32x64xf32>) -> tensor<1x32x14x14xf32> {
  %zero = nd.constant 0.0 : tensor<1x64x28x28xf32>
  %first = nd.contract %x, %v "a b c d, e b -> a e c d" : (tensor<1x32x28x28xf32>, tensor<64x32xf32>) -> tensor<1x64x28x28xf32>
  %bias = nd.broadcast %b "a -> b a c d" : tensor<64xf32> -> tensor<1x64x28x28xf32>
  %sum = nd.add %first, %bias : tensor<1x64x28x28xf32>
  %relu = nd.max %sum, %zero : tensor<1x64x28x28xf32>
  %second = nd.contract %relu, %k "a b 2*c+d-1 2*e+f-1, b d f -> a b c e" to tensor<1x64x14x14xf32> : (tensor<1x64x28x28xf32>, tensor<64x3x3xf32>) -> tensor<1x64x14x14xf32>
  %third = nd.contract %second, %w "a b c d, e b -> a e c d" : (tensor<1x64x14x14xf32>, tensor<32x64xf32>) -> tensor<1x32x14x14xf32>
  func.return %third : tensor<1x32x14x14xf32>
}

// -----

// One convolution keeps the order of arguments and results; so do lines that are reduced along memory.
// CHECK-LABEL: func.func @alone
// CHECK-NEXT:    %y = nd.contract %x, %v "a b c d, e b -> a e c d"
// CHECK-NEXT:    func.return %y
func.func @alone(%x: tensor<1x32x28x28xf32>, %v: tensor<64x32xf32>) -> tensor<1x64x28x28xf32> {
  %y = nd.contract %x, %v "a b c d, e b -> a e c d" : (tensor<1x32x28x28xf32>, tensor<64x32xf32>) -> tensor<1x64x28x28xf32>
  func.return %y : tensor<1x64x28x28xf32>
}

// -----

// Pooling by a reshape, a residual, a slice, a concatenation and a mean over space carry the order; what sorts reads
// rows, by a transpose.
// CHECK-LABEL: func.func @carried
// CHECK-NEXT:    %a = nd.contract %x, %v "a b c d, e b -> a c d e"
// CHECK-NEXT:    %b = nd.reshape %a
// CHECK-NEXT:    %c = nd.reduce max %b "a b c d e f -> a b d f"
// CHECK-NEXT:    %d = nd.contract %c, %k "a 2*b+c-1 2*d+e-1 f, f c e -> a b d f"
// CHECK-NEXT:    %e = nd.mul %d, %d
// CHECK-NEXT:    %f = nd.concat %e, %d along [3]
// CHECK-NEXT:    %g = nd.slice %f from [0, 1, 0, 0] step [1, 2, 1, 1]
// CHECK-NEXT:    %h = nd.reduce sum %g "a b c d -> a d"
// CHECK-NEXT:    nd.print "{}" %h
// CHECK-NEXT:    %0 = nd.transpose %e "a b c d -> a d b c"
// CHECK-NEXT:    %i = nd.sort %0 along [2]
// CHECK-NEXT:    func.return %h, %i
func.func @carried(%x: tensor<?x32x28x28xf32, #nd.sym<n>>, %v: tensor<64x32xf32>, %k: tensor<64x3x3xf32>) -> (tensor<?x128xf32, #nd.sym<n>>, tensor<?x64x7x7xf32, #nd.sym<n>>) {
  %a = nd.contract %x, %v "a b c d, e b -> a e c d" : (tensor<?x32x28x28xf32, #nd.sym<n>>, tensor<64x32xf32>) -> tensor<?x64x28x28xf32, #nd.sym<n>>
  %b = nd.reshape %a : tensor<?x64x28x28xf32, #nd.sym<n>> -> tensor<?x64x14x2x14x2xf32, #nd.sym<n>>
  %c = nd.reduce max %b "a b c d e f -> a b c e" : (tensor<?x64x14x2x14x2xf32, #nd.sym<n>>) -> tensor<?x64x14x14xf32, #nd.sym<n>>
  %d = nd.contract %c, %k "a b 2*c+d-1 2*e+f-1, b d f -> a b c e" to tensor<?x64x7x7xf32, #nd.sym<n>> : (tensor<?x64x14x14xf32, #nd.sym<n>>, tensor<64x3x3xf32>) -> tensor<?x64x7x7xf32, #nd.sym<n>>
  %e = nd.mul %d, %d : tensor<?x64x7x7xf32, #nd.sym<n>>
  %f = nd.concat %e, %d along [1] : (tensor<?x64x7x7xf32, #nd.sym<n>>, tensor<?x64x7x7xf32, #nd.sym<n>>) -> tensor<?x128x7x7xf32, #nd.sym<n>>
  %g = nd.slice %f from [0, 0, 1, 0] step [1, 1, 2, 1] : tensor<?x128x7x7xf32, #nd.sym<n>> -> tensor<?x128x3x7xf32, #nd.sym<n>>
  %h = nd.reduce sum %g "a b c d -> a b" : (tensor<?x128x3x7xf32, #nd.sym<n>>) -> tensor<?x128xf32, #nd.sym<n>>
  nd.print "{}" %h : tensor<?x128xf32, #nd.sym<n>>
  %i = nd.sort %e along [2] : tensor<?x64x7x7xf32, #nd.sym<n>>
  func.return %h, %i : tensor<?x128xf32, #nd.sym<n>>, tensor<?x64x7x7xf32, #nd.sym<n>>
}

// -----

// Regions are laid out by themselves: what they are given and what they yield keeps its order.
// CHECK-LABEL: func.func @regions
// CHECK-NEXT:    %r, %s = nd.scan 4 (%v1 = %v, %k1 = %k, %w1 = %w) carry (%c = %x) -> (tensor<1x32x28x28xf32>, tensor<4x1x32x14x14xf32>) {
// CHECK-NEXT:    %a = nd.contract %c, %v1 "a b c d, e b -> a c d e"
// CHECK-NEXT:    %0 = nd.constant 0.0
// CHECK-NEXT:    %a_1 = nd.pad %a, %0 low [0, 1, 1, 0] high [0, 0, 0, 0] interior [0, 0, 0, 0]
// CHECK-NEXT:    %b = nd.contract %a_1, %k1 "a 2*b+c 2*d+e f, f c e -> a b d f"
// CHECK-NEXT:    %d = nd.contract %b, %w1 "a b c d, e d -> a e b c"
// CHECK-NEXT:    nd.yield %c, %d
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %r, %s
func.func @regions(%x: tensor<1x32x28x28xf32>, %v: tensor<64x32xf32>, %k: tensor<64x3x3xf32>, %w: tensor<32x64xf32>) -> (tensor<1x32x28x28xf32>, tensor<4x1x32x14x14xf32>) {
  %r, %s = nd.scan 4 (%v1 = %v, %k1 = %k, %w1 = %w) carry (%c = %x) -> (tensor<1x32x28x28xf32>, tensor<4x1x32x14x14xf32>) {
    %a = nd.contract %c, %v1 "a b c d, e b -> a e c d" : (tensor<1x32x28x28xf32>, tensor<64x32xf32>) -> tensor<1x64x28x28xf32>
    %b = nd.contract %a, %k1 "a b 2*c+d-1 2*e+f-1, b d f -> a b c e" to tensor<1x64x14x14xf32> : (tensor<1x64x28x28xf32>, tensor<64x3x3xf32>) -> tensor<1x64x14x14xf32>
    %d = nd.contract %b, %w1 "a b c d, e b -> a e c d" : (tensor<1x64x14x14xf32>, tensor<32x64xf32>) -> tensor<1x32x14x14xf32>
    nd.yield %c, %d : tensor<1x32x28x28xf32>, tensor<1x32x14x14xf32>
  }
  func.return %r, %s : tensor<1x32x28x28xf32>, tensor<4x1x32x14x14xf32>
}

// -----

// A softmax and the products around it stay as they are: its lines are reduced along memory.
// CHECK-LABEL: func.func @attention
// CHECK-NEXT:    %0 = nd.contract %q, %k "a b c, a d c -> a b d"
// CHECK-NEXT:    %1 = nd.reduce max %0 "a b c -> a b"
// CHECK-NEXT:    %2 = nd.broadcast %1 "a b -> a b c"
// CHECK-NEXT:    %3 = nd.sub %0, %2
// CHECK-NEXT:    %4 = nd.exp %3
// CHECK-NEXT:    %5 = nd.contract %4, %v "a b c, a c d -> a b d"
// CHECK-NEXT:    func.return %5
func.func @attention(%q: tensor<12x64x32xf32>, %k: tensor<12x64x32xf32>, %v: tensor<12x64x32xf32>) -> tensor<12x64x32xf32> {
  %0 = nd.contract %q, %k "a b c, a d c -> a b d" : (tensor<12x64x32xf32>, tensor<12x64x32xf32>) -> tensor<12x64x64xf32>
  %1 = nd.reduce max %0 "a b c -> a b" : (tensor<12x64x64xf32>) -> tensor<12x64xf32>
  %2 = nd.broadcast %1 "a b -> a b c" : tensor<12x64xf32> -> tensor<12x64x64xf32>
  %3 = nd.sub %0, %2 : tensor<12x64x64xf32>
  %4 = nd.exp %3 : tensor<12x64x64xf32>
  %5 = nd.contract %4, %v "a b c, a c d -> a b d" : (tensor<12x64x64xf32>, tensor<12x64x32xf32>) -> tensor<12x64x32xf32>
  func.return %5 : tensor<12x64x32xf32>
}
