// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// The attributes of a transfer stay.
func.func @stream(%a: vector<4xf32>, %m: memref<8xf32>, %i: index, %z: f32) {
  vector.transfer_write %a, %m[%i] {in_bounds = [true], nontemporal} : vector<4xf32>, memref<8xf32>
  %b = vector.transfer_read %m[%i], %z {in_bounds = [true], nontemporal} : memref<8xf32>, vector<4xf32>
  func.return
}
// CHECK: vector.transfer_write %a, %m[%i] {nontemporal, in_bounds = [true]} : vector<4xf32>, memref<8xf32>
// CHECK: %b = vector.transfer_read %m[%i], %z {nontemporal, in_bounds = [true]} : memref<8xf32>, vector<4xf32>
