// RUN: mlc-opt %s --split-input-file --pipeline=graph -p "nd-to-loop,collapse-axes,choose-schedule{machine=sm_90a}" | FileCheck %s
// Few long lines are reduced in parts, lines that threads do not divide by all threads of a block, and what carries
// values walks a line in each thread.

func.func @all(%x: tensor<1000x1000xf32>) -> tensor<f32> {
  %0 = nd.reduce sum %x "a b -> " : (tensor<1000x1000xf32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}

// CHECK-LABEL: func.func private @sum
// CHECK-SAME: loop-partial{axis=ij parts=400 only=sum},loop-tile{axis=ij0 size=1 kind=block only=sum},loop-distribute{axis=ij threads=125 lanes=4 rounds=vec only=sum},loop-distribute{axis=ij0 threads=100 lanes=4 rounds=vec only=sum_total}

// -----

func.func @prime(%x: tensor<500x4099xf32>) -> tensor<500x4099xf32> {
  %0 = nd.softmax %x : tensor<500x4099xf32>
  func.return %0 : tensor<500x4099xf32>
}

// CHECK: loop-tile{axis=i size=1 kind=block only=max,exp_sum,div,mul},loop-distribute{axis=j lanes=1 kind=sweep only=max,exp_sum,div,mul}

// -----

func.func @lines(%x: tensor<64x96xf32>) -> tensor<64x96xf32> {
  %0 = nd.cumulative sum %x along [0] : tensor<64x96xf32>
  func.return %0 : tensor<64x96xf32>
}

// CHECK: loop-tile{axis=j size=64 kind=block only=init,cumulative_sum},loop-tile{axis=j size=1 kind=thread only=init,cumulative_sum}

// -----

func.func @symbolic(%x: tensor<?x?xf32, #nd.sym<n, m>>) -> tensor<?xf32, #nd.sym<n>> {
  %0 = nd.reduce sum %x "a b -> a" : (tensor<?x?xf32, #nd.sym<n, m>>) -> tensor<?xf32, #nd.sym<n>>
  func.return %0 : tensor<?xf32, #nd.sym<n>>
}

// CHECK: loop-tile{axis=i size=1 kind=block only=sum},loop-distribute{axis=j lanes=1 kind=sweep only=sum}

// -----

// Blocks that overlap would read what others have written.
func.func @inplace(%x: tensor<33x2112xf32> {mlc.inplace = 0 : i64}) -> tensor<33x2112xf32> {
  %y = loop.stage twice [i: 33, j: 2112] (%a = %x[i, j]) -> [i, j] {
    %b = arith.addf %a, %a : f32
    loop.yield %b : f32
  }
  func.return %y : tensor<33x2112xf32>
}

// CHECK: loop-tile{axis=i size=1 kind=block only=twice},loop-tile{axis=j size=704 kind=block only=twice},loop-distribute{axis=j threads=176 lanes=4 only=twice}
