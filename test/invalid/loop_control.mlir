// RUN: mlc-opt %s --split-input-file --verify-diagnostics

func.func @f(%X: tensor<8xf32>) {
  // expected-error @+1 {{loop.for: loop i0: expected a step that divides 8, or clamp, found 3}}
  %r = loop.for i0 = 8 step 3 -> [i0] {
    %t = loop.stage s [i: 3] (%x = %X[i]) -> [i] {
      loop.yield %x : f32
    }
    loop.yield %t : tensor<3xf32>
  }
  func.return
}

// -----

func.func @f(%X: tensor<8xf32>) {
  // expected-error @+1 {{loop.for: loop i0: result 0: expected tiles of 2 at i0, found 4: they leave gaps or overlap}}
  %r = loop.for i0 = 8 step 2 -> [i0] {
    %t = loop.stage s [i: 4] (%x = %X[i]) -> [i] {
      loop.yield %x : f32
    }
    loop.yield %t : tensor<4xf32>
  }
  func.return
}

// -----

func.func @f(%X: tensor<8xf32>) {
  // expected-error @+1 {{loop.for: loop i0: result 0: expected tiles that do not overlap under add, found clamp on axis i0}}
  %r = loop.for i0 = 8 step 3 clamp -> add [0] {
    %t = loop.stage s [i: 3] (%x = %X[i]) -> [i] {
      loop.yield %x : f32
    }
    loop.yield %t : tensor<3xf32>
  }
  func.return
}

// -----

func.func @f(%X: tensor<8xf32>) {
  // expected-error @+1 {{loop.for: loop i0: result 0: expected a combiner, or a place along axis i0, found 0}}
  %r = loop.for i0 = 8 step 4 -> [0] {
    %t = loop.stage s [i: 4] (%x = %X[i]) -> [i] {
      loop.yield %x : f32
    }
    loop.yield %t : tensor<4xf32>
  }
  func.return
}

// -----

func.func @f(%X: tensor<8xf32>) {
  // expected-error @+1 {{loop.for: loop i0: expected no clamp on a parallel loop, found one: tiles share elements}}
  %r = loop.for i0 = 8 step 4 clamp parallel -> [i0] {
    %t = loop.stage s [i: 4] (%x = %X[i]) -> [i] {
      loop.yield %x : f32
    }
    loop.yield %t : tensor<4xf32>
  }
  func.return
}

// -----

func.func @f(%X: tensor<8xf32>) {
  // expected-error @+1 {{loop i0: expected a step of at least 1, found 0}}
  %r = loop.for i0 = 8 step 0 -> [i0] {
    %t = loop.stage s [i: 4] (%x = %X[i]) -> [i] {
      loop.yield %x : f32
    }
    loop.yield %t : tensor<4xf32>
  }
  func.return
}

// -----

func.func @f(%X: tensor<8xf32>) {
  // expected-error @+1 {{loop.for: loop i0: expected an extent of at least the step 8 under clamp, found 4}}
  %r = loop.for i0 = 4 step 8 clamp -> [i0] {
    %t = loop.stage s [i: 8] (%x = %X[i]) -> [i] {
      loop.yield %x : f32
    }
    loop.yield %t : tensor<8xf32>
  }
  func.return
}

// -----

func.func @f(%X: tensor<8xf32>) {
  // expected-error @+1 {{loop i0: expected 0 carry results, one for each init, found 1}}
  %r = loop.for i0 = 8 step 4 -> carry [0] {
    %t = loop.stage s [i: 4] (%x = %X[i]) -> [i] {
      loop.yield %x : f32
    }
    loop.yield %t : tensor<4xf32>
  }
  func.return
}

// -----

func.func @f(%x: tensor<?xf32, #nd.sym<n>>) {
  loop.size n = %x, 0
  // expected-error @+1 {{loop.for: loop i0: expected an extent of at least the step 4 under clamp, found n}}
  %r = loop.for i0 = n step 4 clamp -> [i0] {
    %t = loop.stage s [i: 4] (%a = %x[i + i0]) -> [i] {
      loop.yield %a : f32
    }
    loop.yield %t : tensor<4xf32>
  }
  func.return
}

// -----

func.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{loop.size: size n: expected a dimension of that name, found 8}}
  loop.size n = %x, 0
  func.return
}

// -----

func.func @f(%x: tensor<?xf32, #nd.sym<n>>, %y: tensor<8xf32>) {
  loop.size n = %x, 0
  // expected-error @+1 {{loop.if: if n >= 4: expected both versions to yield tensor<?xf32, #nd.sym<n>>, found tensor<8xf32>}}
  %r = loop.if n >= 4 {
    loop.yield %x : tensor<?xf32, #nd.sym<n>>
  } else {
    loop.yield %y : tensor<8xf32>
  }
  func.return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{loop.join: join: expected pieces that fill 9, found gaps}}
  %r = loop.join (%x at [0], %x at [5]) : tensor<9xf32>
  func.return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{loop.join: join: piece 1: expected elements in [0, 8) of dimension 0, found [5, 8]}}
  %r = loop.join (%x at [0], %x at [5]) : tensor<8xf32>
  func.return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  %r = loop.stage s [i: 4] (%a = %x[i]) -> [i] {
    // expected-error @+1 {{loop.index: stage s: expected an axis in loop.index, found j}}
    %c = loop.index j : index
    loop.yield %a : f32
  }
  func.return
}

// -----

func.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{expected a dimension below 1, found 1}}
  %r = loop.sort %x along 1
  func.return
}

// -----

func.func @f(%X: tensor<8xf32>) {
  // expected-error @+1 {{loop i: result 0: expected 0 or the loop's own axis i as index, found -i + 6}}
  %r = loop.for i = 8 -> [-i + 6] {
    %t = loop.stage s [] (%x = %X[i]) -> [0] {
      loop.yield %x : f32
    }
    loop.yield %t : tensor<1xf32>
  }
  func.return
}
