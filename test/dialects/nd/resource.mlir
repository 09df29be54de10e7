// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right() -> tensor<64x32xf32> {
  // CHECK: %w = nd.resource "w", "391cea4f48bcd7a4fc5d5ad511bc0238" : tensor<64x32xf32>
  %w = nd.resource "w", "391cea4f48bcd7a4fc5d5ad511bc0238" : tensor<64x32xf32>
  func.return %w : tensor<64x32xf32>
}

// -----

func.func @hash() {
  // expected-error@+1 {{expected a hash of 32 hexadecimal digits, found '391C'}}
  %w = nd.resource "w", "391C" : tensor<64x32xf32>
  func.return
}

// -----

func.func @symbolic() {
  // expected-error@+1 {{expected a tensor of known sizes, found tensor<?xf32, #nd.sym<b>>}}
  %w = nd.resource "w", "391cea4f48bcd7a4fc5d5ad511bc0238" : tensor<?xf32, #nd.sym<b>>
  func.return
}
