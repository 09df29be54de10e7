// A residual block with a projection: two 3x3 convolutions with batch norms beside a 1x1 convolution of the same input.
func.func @main(%x: tensor<1x64x28x28xf32>) -> tensor<1x128x28x28xf32> {
  %w1 = nd.resource "w1", "00000000000000000000000000000001" : tensor<128x64x3x3xf32>
  %s1 = nd.resource "s1", "00000000000000000000000000000002" : tensor<128xf32>
  %b1 = nd.resource "b1", "00000000000000000000000000000003" : tensor<128xf32>
  %w2 = nd.resource "w2", "00000000000000000000000000000004" : tensor<128x128x3x3xf32>
  %s2 = nd.resource "s2", "00000000000000000000000000000005" : tensor<128xf32>
  %b2 = nd.resource "b2", "00000000000000000000000000000006" : tensor<128xf32>
  %w3 = nd.resource "w3", "00000000000000000000000000000007" : tensor<128x64xf32>
  %0 = nd.contract %x, %w1 "n c h+k-1 w+l-1, f c k l -> n f h w" to tensor<1x128x28x28xf32> : (tensor<1x64x28x28xf32>, tensor<128x64x3x3xf32>) -> tensor<1x128x28x28xf32>
  %1 = nd.broadcast %s1 "f -> n f h w" : tensor<128xf32> -> tensor<1x128x28x28xf32>
  %2 = nd.mul %0, %1 : tensor<1x128x28x28xf32>
  %3 = nd.broadcast %b1 "f -> n f h w" : tensor<128xf32> -> tensor<1x128x28x28xf32>
  %4 = nd.add %2, %3 : tensor<1x128x28x28xf32>
  %5 = nd.relu %4 : tensor<1x128x28x28xf32>
  %6 = nd.contract %5, %w2 "n c h+k-1 w+l-1, f c k l -> n f h w" to tensor<1x128x28x28xf32> : (tensor<1x128x28x28xf32>, tensor<128x128x3x3xf32>) -> tensor<1x128x28x28xf32>
  %7 = nd.broadcast %s2 "f -> n f h w" : tensor<128xf32> -> tensor<1x128x28x28xf32>
  %8 = nd.mul %6, %7 : tensor<1x128x28x28xf32>
  %9 = nd.broadcast %b2 "f -> n f h w" : tensor<128xf32> -> tensor<1x128x28x28xf32>
  %10 = nd.add %8, %9 : tensor<1x128x28x28xf32>
  %11 = nd.contract %x, %w3 "n c h w, f c -> n f h w" : (tensor<1x64x28x28xf32>, tensor<128x64xf32>) -> tensor<1x128x28x28xf32>
  %12 = nd.add %10, %11 : tensor<1x128x28x28xf32>
  %13 = nd.relu %12 : tensor<1x128x28x28xf32>
  func.return %13 : tensor<1x128x28x28xf32>
}
