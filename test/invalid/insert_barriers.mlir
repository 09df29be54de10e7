// RUN: mlc-opt %s -p "insert-barriers" --verify-diagnostics

func.func @apart(%x: memref<256xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c256 = arith.constant 256 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1) threads(%tx, %ty, %tz) in (%sx = %c256, %sy = %c1, %sz = %c1) {
    %s = memref.alloc() : memref<256xf32, #gpu.address_space<workgroup>>
    %v = memref.load %x[%tx] : memref<256xf32>
    %some = arith.cmpi ult, %tx, %c1 : index
    // expected-error @+1 {{insert-barriers: expected all threads to come where they wait for %s, found scf.if whose way depends on the thread}}
    scf.if %some {
      memref.store %v, %s[%tx] : memref<256xf32, #gpu.address_space<workgroup>>
      %w = memref.load %s[%c0] : memref<256xf32, #gpu.address_space<workgroup>>
      memref.store %w, %x[%c0] : memref<256xf32>
    }
    gpu.terminator
  }
  func.return
}
