// RUN: not mlc-opt %s --split-input-file 2>/dev/null | FileCheck %s
// RUN: mlc-opt %s --split-input-file --verify-diagnostics

// CHECK-LABEL: @right
func.func @right(%x: tensor<3x4x5xf32>, %i: tensor<7xi64>, %j: tensor<7xi32>, %s: tensor<i64>, %y: tensor<?x4xi1, #nd.sym<b>>) {
  // CHECK: %0 = nd.gather clip %x, %i "a @0 b, c -> a c b" : (tensor<3x4x5xf32>, tensor<7xi64>) -> tensor<3x7x5xf32>
  %0 = nd.gather clip %x, %i "a @0 b, c -> a c b" : (tensor<3x4x5xf32>, tensor<7xi64>) -> tensor<3x7x5xf32>
  // CHECK: %1 = nd.gather fill %x, %i, %j "@1 @0 a, b, b -> b a" : (tensor<3x4x5xf32>, tensor<7xi64>, tensor<7xi32>) -> tensor<7x5xf32>
  %1 = nd.gather fill %x, %i, %j "@1 @0 a, b, b -> b a" : (tensor<3x4x5xf32>, tensor<7xi64>, tensor<7xi32>) -> tensor<7x5xf32>
  // CHECK: %2 = nd.gather promise %x, %s "a @0+b c,  -> a b c" to tensor<3x2x5xf32> : (tensor<3x4x5xf32>, tensor<i64>) -> tensor<3x2x5xf32>
  %2 = nd.gather promise %x, %s "a @0+b c, -> a b c" to tensor<3x2x5xf32> : (tensor<3x4x5xf32>, tensor<i64>) -> tensor<3x2x5xf32>
  // CHECK: %3 = nd.gather clip %y, %i "@0 a, b -> b a" : (tensor<?x4xi1, #nd.sym<b>>, tensor<7xi64>) -> tensor<7x4xi1>
  %3 = nd.gather clip %y, %i "@0 a, b -> b a" : (tensor<?x4xi1, #nd.sym<b>>, tensor<7xi64>) -> tensor<7x4xi1>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x5xf32>, %i: tensor<7xf32>) {
  // expected-error@+1 {{expected index operands of integers, found tensor<7xf32> (index operand 0)}}
  %0 = nd.gather clip %x, %i "@0 b, c -> c b" : (tensor<4x5xf32>, tensor<7xf32>) -> tensor<7x5xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x5xf32>, %i: tensor<7xi64>) {
  // expected-error@+1 {{expected clip or fill or promise, found drop}}
  %0 = nd.gather drop %x, %i "@0 b, c -> c b" : (tensor<4x5xf32>, tensor<7xi64>) -> tensor<7x5xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x5xf32>, %i: tensor<7xi64>) {
  // expected-error@+1 {{expected a map such as "a @0 c, d -> a d c", each index operand in one dimension of the place, found "@0 @0, c -> c"}}
  %0 = nd.gather clip %x, %i "@0 @0, c -> c" : (tensor<4x5xf32>, tensor<7xi64>) -> tensor<7xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x5xf32>, %i: tensor<7xi64>) {
  // expected-error@+1 {{expected 1 index operands in the map, found 2 in "@0 @1, c, c -> c"}}
  %0 = nd.gather clip %x, %i "@0 @1, c, c -> c" : (tensor<4x5xf32>, tensor<7xi64>) -> tensor<7xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x5xf32>, %i: tensor<7xi64>) {
  // expected-error@+1 {{expected the result type to tell the size of "b" in "@0+b a, c -> c b a", found none}}
  %0 = nd.gather clip %x, %i "@0+b a, c -> c b a" : (tensor<4x5xf32>, tensor<7xi64>) -> tensor<7x2x5xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x5xf32>, %i: tensor<7xi64>) {
  // expected-error@+1 {{index operand 0: expected a window of at most 4 in a dimension of size 4, found 6}}
  %0 = nd.gather clip %x, %i "@0+b a, c -> c b a" to tensor<7x6x5xf32> : (tensor<4x5xf32>, tensor<7xi64>) -> tensor<7x6x5xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<0x5xf32>, %i: tensor<7xi64>) {
  // expected-error@+1 {{index operand 0: expected at least one element in a dimension of size 0, found 1}}
  %0 = nd.gather clip %x, %i "@0 a, c -> c a" : (tensor<0x5xf32>, tensor<7xi64>) -> tensor<7x5xf32>
  func.return
}

// -----

func.func @wrong(%x: tensor<4x5xf32>, %i: tensor<7x6xi64>) {
  // expected-error@+1 {{operand 1, dimension 0: expected size 4 of "a" in "a @0, a b -> a b", found 7}}
  %0 = nd.gather clip %x, %i "a @0, a b -> a b" : (tensor<4x5xf32>, tensor<7x6xi64>) -> tensor<4x6xf32>
  func.return
}
