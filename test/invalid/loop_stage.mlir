// RUN: mlc-opt %s --split-input-file --verify-diagnostics

func.func @f(%X: tensor<8x8xf32>) {
  // expected-error @+1 {{loop.stage: stage s: %X: expected index i + 1 in [0, 8), found values in [1, 8]}}
  %r = loop.stage s [i: 8, j: 8] (%x = %X[i + 1, j]) -> [i, j] {
    loop.yield %x : f32
  }
  func.return
}

// -----

func.func @f(%X: tensor<8x8xf32>) {
  // expected-error @+1 {{loop.stage: stage s: %X: expected index i - 1 in [0, 8), found values in [-1, 6]}}
  %r = loop.stage s [i: 8, j: 8] (%x = %X[i - 1, j]) -> [i, j] {
    loop.yield %x : f32
  }
  func.return
}

// -----

func.func @f(%X: tensor<8x8xf32>) {
  // expected-error @+1 {{loop.stage: stage s: %X: expected axes of the domain or of enclosing loops, found k in index k}}
  %r = loop.stage s [i: 8, j: 8] (%x = %X[i, k]) -> [i, j] {
    loop.yield %x : f32
  }
  func.return
}

// -----

func.func @f(%X: tensor<8x8xf32>) {
  // expected-error @+1 {{loop.stage: stage s: %X: expected 2 indices, one for each dimension, found 1}}
  %r = loop.stage s [i: 8, j: 8] (%x = %X[i]) -> [i, j] {
    loop.yield %x : f32
  }
  func.return
}

// -----

func.func @f(%X: tensor<8x8xf32>) {
  // expected-error @+1 {{loop.stage: stage s: expected a new axis, found i bound twice}}
  %r = loop.stage s [i: 8, i: 8] (%x = %X[i, i]) -> [i] {
    loop.yield %x : f32
  }
  func.return
}

// -----

func.func @f(%X: tensor<8x8xf32>) {
  // expected-error @+1 {{loop.stage: stage s: result 0: expected index 2 * i without gaps or overlaps: i times 1, found times 2}}
  %r = loop.stage s [i: 4, j: 8] (%x = %X[i, j]) -> [2 * i, j] {
    loop.yield %x : f32
  }
  func.return
}

// -----

func.func @f(%X: tensor<8x8xf32>) {
  // expected-error @+1 {{loop.stage: stage s: result 0: expected index j + 1 to start at 0, found offset 1}}
  %r = loop.stage s [i: 8, j: 7] (%x = %X[i, j]) -> [i, j + 1] {
    loop.yield %x : f32
  }
  func.return
}

// -----

func.func @f(%X: tensor<8x8xf32>) {
  // expected-error @+1 {{loop.stage: stage s: result 0: expected a combiner, since axis j is reduced, found none}}
  %r = loop.stage s [i: 8, j: 8] (%x = %X[i, j]) -> [i] {
    loop.yield %x : f32
  }
  func.return
}

// -----

func.func @f(%X: tensor<8x8xf32>) {
  // expected-error @+1 {{stage s: expected a result index over its own axes, found k}}
  %r = loop.stage s [i: 8, j: 8] (%x = %X[i, j]) -> [i, k] {
    loop.yield %x : f32
  }
  func.return
}

// -----

func.func @f(%X: tensor<8x8xf32>) {
  // expected-error @+1 {{loop.stage: stage s: expected a type that and combines, found f32}}
  %r = loop.stage s [i: 8, j: 8] (%x = %X[i, j]) -> and [i] {
    loop.yield %x : f32
  }
  func.return
}

// -----

func.func @f(%X: tensor<8x8xf32>) {
  // expected-error @+1 {{expected 1 yielded values, one for each result, found 2}}
  %r = loop.stage s [i: 8, j: 8] (%x = %X[i, j]) -> [i, j] {
    loop.yield %x, %x : f32, f32
  }
  func.return
}

// -----

func.func @f(%X: tensor<8x8xf32>) {
  // expected-error @+1 {{loop.stage: stage s: expected every size to be named by loop.size, found n}}
  %r = loop.stage s [i: n, j: 8] (%x = %X[i, j]) -> [i, j] {
    loop.yield %x : f32
  }
  func.return
}

// -----

func.func @f(%X: tensor<?xf32, #nd.sym<n>>) {
  loop.size n = %X, 0
  // expected-error @+1 {{loop.stage: stage s: %X: expected index i + 1 in [0, n), found values in [1, n] at n = 1}}
  %r = loop.stage s [i: n] (%x = %X[i + 1]) -> [i] {
    loop.yield %x : f32
  }
  func.return
}

// -----

func.func @f(%X: f32) {
  // expected-error @+1 {{expected a tensor, found f32}}
  %r = loop.stage s [i: 8] (%x = %X[i]) -> [i] {
    loop.yield %x : f32
  }
  func.return
}

// -----

func.func @f(%X: tensor<8x8xf32>) {
  // expected-error @+1 {{expected add, mul, max, min, maxnan, minnan, maxnum, minnum, umax, umin, and, or, carry, stream or an access, found median}}
  %r = loop.stage s [i: 8, j: 8] (%x = %X[i, j]) -> median [i] {
    loop.yield %x : f32
  }
  func.return
}
