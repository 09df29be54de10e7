// RUN: mlc-opt %s -p expand-math | FileCheck %s
// RUN: mlc-opt %s -p 'expand-math{lookup=16}' | FileCheck %s --check-prefix=TABLE

// One step to reduce the range, a polynomial, one to scale: no branch, and nothing but upstream's operations.
// CHECK-LABEL: func.func @exp
// CHECK:       arith.cmpf ogt, %x, %{{.*}} : vector<6x16xf32>
// CHECK-NOT:   arith.cmpf
// CHECK:       math.fma %{{.*}} : vector<6x16xf32>
// CHECK:       arith.bitcast %{{.*}} : vector<6x16xf32> to vector<6x16xi32>
// CHECK:       arith.shli %{{.*}} : vector<6x16xi32>
// CHECK-NOT:   scf.if
// CHECK-NOT:   math.exp
// CHECK:       arith.select %{{.*}} : vector<6x16xi1>, vector<6x16xf32>
// CHECK:       %[[Y:.*]] = arith.mulf
// CHECK:       %y = arith.select %[[NONE:.*]], %{{.*}}, %[[Y]]
// CHECK-NEXT:  func.return %y
func.func @exp(%x: vector<6x16xf32>) -> vector<6x16xf32> {
  %y = math.exp %x : vector<6x16xf32>
  func.return %y : vector<6x16xf32>
}

// What is not above 0 is less than infinity; -inf and what underflows are chosen to be 0.
// CHECK-LABEL: func.func @shifted
// CHECK-NOT:   arith.cmpf ogt
// CHECK:       arith.cmpf olt, %x
// CHECK-NOT:   arith.cmpf ogt
// CHECK:       func.return
func.func @shifted(%x: vector<6x16xf32>) -> vector<6x16xf32> {
  %y = math.exp %x {mlc.nonpositive} : vector<6x16xf32>
  func.return %y : vector<6x16xf32>
}

// CHECK-LABEL: func.func @log
// CHECK-NOT:   math.log
// CHECK:       func.return
func.func @log(%x: f64) -> f64 {
  %y = math.log %x : f64
  func.return %y : f64
}

// Angles that three parts of pi/2 cannot reduce are done one after the other, in f64 and integers, if there are any.
// CHECK-LABEL: func.func @sin
// CHECK:       vector.multi_reduction <or>
// CHECK:       scf.if
// CHECK:         memref.alloc() {alignment = 64 : i64} : memref<16xf32>
// CHECK:         vector.transfer_write
// CHECK:         scf.for
// CHECK:           memref.load
// CHECK:           scf.if
// CHECK:             arith.extf %{{.*}} : f32 to f64
// CHECK:             arith.shrui
// CHECK:           memref.store
// CHECK:         vector.transfer_read
// CHECK:       } else {
// CHECK-NEXT:    scf.yield
// CHECK-NOT:   math.sin
// CHECK:       func.return
func.func @sin(%x: vector<16xf32>) -> vector<16xf32> {
  %y = math.sin %x : vector<16xf32>
  func.return %y : vector<16xf32>
}

// A scalar asks without a reduction.
// CHECK-LABEL: func.func @cos
// CHECK-NOT:   vector.multi_reduction
// CHECK-NOT:   memref.alloc
// CHECK:       scf.if
// CHECK:         arith.shrui %{{.*}} : i64
// CHECK-NOT:   math.cos
// CHECK:       func.return
func.func @cos(%x: f64) -> f64 {
  %y = math.cos %x : f64
  func.return %y : f64
}

// A machine that looks entries up in a register has tables of them: a constant, and a gather for each entry.
// CHECK-LABEL: func.func @erf
// CHECK-NOT:   vector.gather
// CHECK:       func.return
// TABLE-LABEL: func.func @erf
// TABLE:       %[[INDEX:.*]] = arith.andi
// TABLE:       %[[TABLE:.*]] = arith.constant dense<{{.*}}> : tensor<128xf32>
// TABLE:       vector.gather %[[TABLE]][%{{.*}}] [%[[INDEX]]]
// TABLE-NOT:   math.erf
// TABLE:       func.return
func.func @erf(%x: vector<16xf32>) -> vector<16xf32> {
  %y = math.erf %x : vector<16xf32>
  func.return %y : vector<16xf32>
}

// Logarithms of f64 to the base 2 take 1 / m and its logarithm from them; those of f32 are as fast without.
// CHECK-LABEL: func.func @logarithm
// CHECK-NOT:   vector.gather
// CHECK:       func.return
// TABLE-LABEL: func.func @logarithm
// TABLE:       %[[M:.*]] = arith.bitcast %{{.*}} : vector<8xi64> to vector<8xf64>
// TABLE:       arith.addf %[[M]], %{{.*}} : vector<8xf64>
// TABLE:       %[[INDEX:.*]] = arith.andi
// TABLE:       %[[TABLE:.*]] = arith.constant dense<{{.*}}> : tensor<32xf64>
// TABLE:       vector.gather %[[TABLE]][%{{.*}}] [%[[INDEX]]]
// TABLE:       vector.gather %[[TABLE]][%{{.*}}] [%[[INDEX]]]
// TABLE-NOT:   vector.gather
// TABLE-NOT:   math.log
// TABLE:       func.return
func.func @logarithm(%x: vector<8xf64>, %s: vector<16xf32>) -> (vector<8xf64>, vector<16xf32>) {
  %y = math.log2 %x : vector<8xf64>
  %t = math.log2 %s : vector<16xf32>
  func.return %y, %t : vector<8xf64>, vector<16xf32>
}

// Scalars have none.
// TABLE-LABEL: func.func @scalar
// TABLE-NOT:   tensor
// TABLE:       func.return
func.func @scalar(%x: f32) -> f32 {
  %y = math.erf %x : f32
  func.return %y : f32
}

// f32 powers are computed in f64, or in two f32 where there are tables; what they do not say of C's pow comes after, if
// any element needs it.
// CHECK-LABEL: func.func @pow
// CHECK:       arith.extf %x : vector<16xf32> to vector<16xf64>
// CHECK-NOT:   math.powf
// CHECK:       scf.if
// CHECK:       %z = arith.truncf
// TABLE-LABEL: func.func @pow
// TABLE-NOT:   f64
// TABLE:       tensor<48xf32>
// TABLE:       %z = scf.if
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
