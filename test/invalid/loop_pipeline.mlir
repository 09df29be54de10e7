// RUN: mlc-opt %s -p "loop-pipeline{stages=3}" --verify-diagnostics

func.func @f(%x: tensor<48xf32>) -> tensor<48xf32> {
  // expected-error @+1 {{loop-pipeline: stage y: expected a loop around it that sums its results, found none}}
  %y = loop.stage y [i: 48] (%a = %x[i]) -> [i] {
    loop.yield %a : f32
  }
  func.return %y : tensor<48xf32>
}
