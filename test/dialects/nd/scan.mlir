// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%w: tensor<4xf32>, %xs: tensor<16x4xf32>, %ys: tensor<?x3xf64, #nd.sym<n + 1>>) {
  // CHECK: %c, %s = nd.scan 16 (%v = %w) carry (%a = %w) each (%x = %xs) -> (tensor<4xf32>, tensor<16x4xf32>) {
  // CHECK-NEXT: %0 = nd.mul %a, %v : tensor<4xf32>
  // CHECK-NEXT: %1 = nd.add %0, %x : tensor<4xf32>
  // CHECK-NEXT: nd.yield %1, %0 : tensor<4xf32>, tensor<4xf32>
  %c, %s = nd.scan 16 (%v = %w) carry (%a = %w) each (%x = %xs) -> (tensor<4xf32>, tensor<16x4xf32>) {
    %0 = nd.mul %a, %v : tensor<4xf32>
    %1 = nd.add %0, %x : tensor<4xf32>
    nd.yield %1, %0 : tensor<4xf32>, tensor<4xf32>
  }
  // CHECK: nd.scan n + 1 reverse each (%y = %ys) -> (tensor<?xf64, #nd.sym<n + 1>>) {
  %r = nd.scan n + 1 reverse each (%y = %ys) -> (tensor<?xf64, #nd.sym<n + 1>>) {
    %0 = nd.reduce sum %y "a -> " : (tensor<3xf64>) -> tensor<f64>
    nd.yield %0 : tensor<f64>
  }
  // CHECK: nd.scan 0 carry (%a = %w) -> (tensor<4xf32>) {
  %t = nd.scan 0 carry (%a = %w) -> (tensor<4xf32>) {
    nd.yield %a : tensor<4xf32>
  }
  func.return
}

// -----

func.func @wrong(%xs: tensor<8x4xf32>) {
  // expected-error@+1 {{nd.scan: expected sequences of length 16, found one of shape [8, 4]}}
  %s = nd.scan 16 each (%x = %xs) -> (tensor<16x4xf32>) {
    nd.yield %x : tensor<4xf32>
  }
  func.return
}

// -----

func.func @wrong(%xs: tensor<?x4xf32, #nd.sym<n>>) {
  // expected-error@+1 {{nd.scan: expected sequences of length m, found one of shape [n, 4]}}
  %s = nd.scan m each (%x = %xs) -> (tensor<?x4xf32, #nd.sym<m>>) {
    nd.yield %x : tensor<4xf32>
  }
  func.return
}

// -----

func.func @wrong(%x: tensor<f32>) {
  // expected-error@+1 {{expected a sequence with a leading dimension, found tensor<f32>}}
  %s = nd.scan 4 each (%y = %x) -> (tensor<4xf32>) {
    nd.yield %y : tensor<f32>
  }
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{nd.scan: expected the carried values that the body yields to be (tensor<4xf32>), found tensor<f32> as number 0}}
  %c = nd.scan 4 carry (%a = %x) -> (tensor<4xf32>) {
    %0 = nd.reduce sum %a "a -> " : (tensor<4xf32>) -> tensor<f32>
    nd.yield %0 : tensor<f32>
  }
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{nd.scan: expected the results to be (tensor<4xf32>, tensor<3x4xf32>), found tensor<4x4xf32> as number 1}}
  %c, %s = nd.scan 3 carry (%a = %x) -> (tensor<4xf32>, tensor<4x4xf32>) {
    nd.yield %a, %a : tensor<4xf32>, tensor<4xf32>
  }
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{nd.scan: expected the body to yield 1 carried values, found 0}}
  %c = nd.scan 3 carry (%a = %x) -> (tensor<4xf32>) {
    nd.yield
  }
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{nd.scan: expected a length of at least 0, found -2}}
  %c = nd.scan -2 carry (%a = %x) -> (tensor<4xf32>) {
    nd.yield %a : tensor<4xf32>
  }
  func.return
}

// -----

func.func @wrong(%x: tensor<4xf32>) {
  // expected-error@+1 {{expected a value after `carry`}}
  %c = nd.scan 2 carry () -> (tensor<4xf32>) {
    nd.yield
  }
  func.return
}
