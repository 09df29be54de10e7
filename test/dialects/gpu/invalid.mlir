// RUN: mlc-opt %s --split-input-file --verify-diagnostics

func.func @mode(%x: f32, %i: i32) {
  // expected-error @+1 {{expected one of xor, up, down, idx}}
  %r, %p = gpu.shuffle across %x, %i, %i : f32
  func.return
}

// -----

func.func @space() {
  // expected-error @+1 {{expected `global`, `workgroup`, or `private`, found 'shared'}}
  %s = memref.alloc() : memref<4xf32, #gpu.address_space<shared>>
  func.return
}

// -----

func.func @sizes(%n: index) {
  // expected-error @+1 {{expected three dimensions of blocks and three of threads}}
  gpu.launch blocks(%bx, %by) in (%gx = %n, %gy = %n) threads(%tx) in (%sx = %n) {
    gpu.terminator
  }
  func.return
}
