// RUN: mlc-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<64xf32>) -> tensor<f32> {
  // expected-error @+1 {{loop k0: expected a plain loop and a form that falls along it after `while`, found k0 + 8}}
  %y = loop.for k0 = 64 step 16 while k0 + 8 > 0 -> add [] {
    %t = loop.stage sum [k: 16] (%a = %x[k + k0]) -> add [] {
      loop.yield %a : f32
    }
    loop.yield %t : tensor<f32>
  }
  func.return %y : tensor<f32>
}

// -----

func.func @f(%x: tensor<64xf32>) -> tensor<f32> {
  // expected-error @+1 {{loop k0: expected axes of enclosing loops after `while`, found i0}}
  %y = loop.for k0 = 64 step 16 while i0 - k0 > 0 -> add [] {
    %t = loop.stage sum [k: 16] (%a = %x[k + k0]) -> add [] {
      loop.yield %a : f32
    }
    loop.yield %t : tensor<f32>
  }
  func.return %y : tensor<f32>
}

// -----

func.func @f(%x: tensor<64xf32>) -> tensor<64xf32> {
  // expected-error @+1 {{loop k0: expected stages to read what `while` leaves incomplete, found another use}}
  %y = loop.for k0 = 64 step 16 while 40 - k0 > 0 -> [k0] {
    %t = loop.stage copy [k: 16] (%a = %x[k + k0]) -> [k] {
      loop.yield %a : f32
    }
    loop.yield %t : tensor<16xf32>
  }
  func.return %y : tensor<64xf32>
}

// -----

// What is there ends at 48; the reader goes on to 64.
func.func @f(%x: tensor<64xf32>) -> tensor<f32> {
  %y = loop.for k0 = 64 step 16 while 40 - k0 > 0 -> [k0] {
    %t = loop.stage copy [k: 16] (%a = %x[k + k0]) -> [k] {
      loop.yield %a : f32
    }
    loop.yield %t : tensor<16xf32>
  }
  // expected-error @+1 {{stage sum: %y: expected a loop that ends no later than the one that makes it, found none}}
  %z = loop.stage sum [k: 64] (%b = %y[k]) -> add [] {
    loop.yield %b : f32
  }
  func.return %z : tensor<f32>
}

// -----

// Blocks of 32 reach beyond what blocks of 16 make.
func.func @f(%x: tensor<64xf32>) -> tensor<f32> {
  %y = loop.for k0 = 64 step 16 while 40 - k0 > 0 -> [k0] {
    %t = loop.stage copy [k: 16] (%a = %x[k + k0]) -> [k] {
      loop.yield %a : f32
    }
    loop.yield %t : tensor<16xf32>
  }
  %z = loop.for k1 = 64 step 32 while 40 - k1 > 0 -> add [] {
    // expected-error @+1 {{stage sum: %y: expected a loop that ends no later than the one that makes it, found none}}
    %u = loop.stage sum [k: 32] (%b = %y[k + k1]) -> add [] {
      loop.yield %b : f32
    }
    loop.yield %u : tensor<f32>
  }
  func.return %z : tensor<f32>
}
