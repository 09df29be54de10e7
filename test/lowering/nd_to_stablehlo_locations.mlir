// RUN: mlc-opt %s -p nd-to-stablehlo --mlir-print-debuginfo | FileCheck %s
// Every op that an op becomes has its place.

// CHECK: stablehlo.abs %arg0 : tensor<4xf32> loc([[AT:#loc[0-9]*]])
// CHECK: stablehlo.power {{.*}} loc([[AT2:#loc[0-9]*]])
// CHECK-DAG: [[AT]] = loc("model.py":3:5)
// CHECK-DAG: [[AT2]] = loc("model.py":4:9)
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = nd.abs %x : tensor<4xf32> loc("model.py":3:5)
  %z = nd.exp2 %y : tensor<4xf32> loc("model.py":4:9)
  return %z : tensor<4xf32>
}
