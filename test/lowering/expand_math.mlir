// RUN: mlc-opt %s -p expand-math | FileCheck %s

// One step to reduce the range, a polynomial, one to scale: no branch, and nothing but upstream's operations.
// CHECK-LABEL: func.func @exp
// CHECK:       arith.cmpf ogt, %x, %{{.*}} : vector<6x16xf32>
// CHECK:       math.fma %{{.*}} : vector<6x16xf32>
// CHECK:       arith.bitcast %{{.*}} : vector<6x16xf32> to vector<6x16xi32>
// CHECK:       arith.shli %{{.*}} : vector<6x16xi32>
// CHECK-NOT:   scf.if
// CHECK-NOT:   math.exp
// CHECK:       %y = arith.select
// CHECK-NEXT:  func.return %y
func.func @exp(%x: vector<6x16xf32>) -> vector<6x16xf32> {
  %y = math.exp %x : vector<6x16xf32>
  func.return %y : vector<6x16xf32>
}

// CHECK-LABEL: func.func @log
// CHECK-NOT:   math.log
// CHECK:       func.return
func.func @log(%x: f64) -> f64 {
  %y = math.log %x : f64
  func.return %y : f64
}

// Angles that three parts of pi/2 cannot reduce go to the C library, if there are any.
// CHECK-LABEL: func.func @sin
// CHECK:       vector.multi_reduction <or>
// CHECK:       scf.if
// CHECK-NEXT:    math.sin %x {mlc.library} : vector<16xf32>
// CHECK:       } else {
// CHECK-NOT:     math.sin
// CHECK:       func.return
func.func @sin(%x: vector<16xf32>) -> vector<16xf32> {
  %y = math.sin %x : vector<16xf32>
  func.return %y : vector<16xf32>
}

// A scalar asks without a reduction.
// CHECK-LABEL: func.func @cos
// CHECK-NOT:   vector.multi_reduction
// CHECK:       scf.if
// CHECK-NEXT:    math.cos %x {mlc.library} : f64
func.func @cos(%x: f64) -> f64 {
  %y = math.cos %x : f64
  func.return %y : f64
}

// f32 powers are computed in f64.
// CHECK-LABEL: func.func @pow
// CHECK:       arith.extf %x : vector<16xf32> to vector<16xf64>
// CHECK-NOT:   math.powf
// CHECK:       %z = arith.truncf
func.func @pow(%x: vector<16xf32>, %y: vector<16xf32>) -> vector<16xf32> {
  %z = math.powf %x, %y : vector<16xf32>
  func.return %z : vector<16xf32>
}

// Functions with an instruction stay.
// CHECK-LABEL: func.func @instructions
// CHECK:       math.sqrt
// CHECK:       math.rsqrt
// CHECK:       math.floor
// CHECK:       math.absf
func.func @instructions(%x: f32) -> f32 {
  %a = math.sqrt %x : f32
  %b = math.rsqrt %a : f32
  %c = math.floor %b : f32
  %d = math.absf %c : f32
  func.return %d : f32
}
