// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<4x5xf32>, %u: tensor<7x5xf32>, %i: tensor<7xi64>, %p: tensor<4xi1>, %q: tensor<i1>, %s: tensor<i64>, %w: tensor<2x5xf32>) {
  // CHECK: %0 = nd.scatter add drop %x, %u, %i "c b, c -> @0 b" : (tensor<4x5xf32>, tensor<7x5xf32>, tensor<7xi64>) -> tensor<4x5xf32>
  %0 = nd.scatter add drop %x, %u, %i "c b, c -> @0 b" : (tensor<4x5xf32>, tensor<7x5xf32>, tensor<7xi64>) -> tensor<4x5xf32>
  // CHECK: %1 = nd.scatter or promise %p, %q, %s ", -> @0" : (tensor<4xi1>, tensor<i1>, tensor<i64>) -> tensor<4xi1>
  %1 = nd.scatter or promise %p, %q, %s ", -> @0" : (tensor<4xi1>, tensor<i1>, tensor<i64>) -> tensor<4xi1>
  // CHECK: %2 = nd.scatter set clip %x, %w, %s "a b,  -> @0+a b" : (tensor<4x5xf32>, tensor<2x5xf32>, tensor<i64>) -> tensor<4x5xf32>
  %2 = nd.scatter set clip %x, %w, %s "a b, -> @0+a b" : (tensor<4x5xf32>, tensor<2x5xf32>, tensor<i64>) -> tensor<4x5xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x5xf32>, %u: tensor<7x5xf64>, %i: tensor<7xi64>) {
  // expected-error@+1 {{expected operands of one element type, found f32 and f64 (operand 1)}}
  %0 = nd.scatter add drop %x, %u, %i "c b, c -> @0 b" : (tensor<4x5xf32>, tensor<7x5xf64>, tensor<7xi64>) -> tensor<4x5xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x5xf32>, %u: tensor<7x5xf32>, %i: tensor<7xi64>) {
  // expected-error@+1 {{for or, found tensor<4x5xf32>}}
  %0 = nd.scatter or drop %x, %u, %i "c b, c -> @0 b" : (tensor<4x5xf32>, tensor<7x5xf32>, tensor<7xi64>) -> tensor<4x5xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x5xf32>, %u: tensor<7x6xf32>, %i: tensor<7xi64>) {
  // expected-error@+1 {{expected size 5 of "b" in "c b, c -> @0 b", found 6}}
  %0 = nd.scatter add drop %x, %u, %i "c b, c -> @0 b" : (tensor<4x5xf32>, tensor<7x6xf32>, tensor<7xi64>) -> tensor<4x5xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x5xf32>, %u: tensor<5xf32>, %i: tensor<7xi64>) {
  // expected-error@+1 {{expected a map such as "a @0 c, d -> a d c", each index operand in one dimension of the place, found "b, c -> @0 b"}}
  %0 = nd.scatter add drop %x, %u, %i "b, c -> @0 b" : (tensor<4x5xf32>, tensor<5xf32>, tensor<7xi64>) -> tensor<4x5xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x5xf32>, %u: tensor<7x5xf32>, %i: tensor<7xi64>) {
  // expected-error@+1 {{expected clip or drop or promise, found fill}}
  %0 = nd.scatter add fill %x, %u, %i "c b, c -> @0 b" : (tensor<4x5xf32>, tensor<7x5xf32>, tensor<7xi64>) -> tensor<4x5xf32>
  func.return
}
