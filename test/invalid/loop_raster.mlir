// RUN: mlc-opt %s -p "loop-tile{axis=i size=8 kind=block},loop-raster{loop=i0 rows=2}" --verify-diagnostics

func.func @f(%x: tensor<40xf32>) -> tensor<40xf32> {
  // expected-error @+1 {{loop-raster: expected i0 to be a block loop around another, found loop.stage}}
  %y = loop.stage y [i: 40] (%a = %x[i]) -> [i] {
    loop.yield %a : f32
  }
  func.return %y : tensor<40xf32>
}
