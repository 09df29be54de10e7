// RUN: mlc-opt %s --split-input-file --verify-diagnostics

func.func @order(%a: vector<2x3xf32>) {
  // expected-error @+1 {{vector.transpose: expected a permutation of 2 dimensions, found [0, 0]}}
  %t = vector.transpose %a, [0, 0] : vector<2x3xf32> to vector<2x2xf32>
  func.return
}

// -----

func.func @shape(%a: vector<2x3xf32>) {
  // expected-error @+1 {{vector.transpose: expected a result of shape [3, 2], found [2, 3]}}
  %t = vector.transpose %a, [1, 0] : vector<2x3xf32> to vector<2x3xf32>
  func.return
}

// -----

func.func @count(%a: vector<2x3xf32>) {
  // expected-error @+1 {{vector.shape_cast: expected a result of 6 elements, found 5}}
  %t = vector.shape_cast %a : vector<2x3xf32> to vector<5xf32>
  func.return
}

// -----

func.func @dims(%a: vector<2x3xf32>, %z: f32) {
  // expected-error @+1 {{vector.multi_reduction: expected different dimensions below 2, found [0, 2]}}
  %t = vector.multi_reduction <add>, %a, %z [0, 2] : vector<2x3xf32> to f32
  func.return
}

// -----

func.func @kept(%a: vector<2x3xf32>, %z: f32) {
  // expected-error @+1 {{vector.multi_reduction: expected a result of shape [3], found []}}
  %t = vector.multi_reduction <add>, %a, %z [0] : vector<2x3xf32> to f32
  func.return
}

// -----

func.func @step() {
  // expected-error @+1 {{vector.step: expected a result of one dimension of index, found vector<2x2xindex>}}
  %t = vector.step : vector<2x2xindex>
  func.return
}

// -----

func.func @contract(%a: vector<2x4xf32>, %b: vector<5x3xf32>, %z: vector<2x3xf32>) {
  // expected-error @+1 {{vector.contract: expected iterator d2 of size 4, found 5}}
  %d = vector.contract {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]} %a, %b, %z : vector<2x4xf32>, vector<5x3xf32> into vector<2x3xf32>
  func.return
}

// -----

func.func @condition(%c: vector<3xi1>, %a: vector<4xf32>) {
  // expected-error @+1 {{arith.select: expected a condition of type i1 or vector<4xi1>, found vector<3xi1>}}
  %s = arith.select %c, %a, %a : vector<3xi1>, vector<4xf32>
  func.return
}

// -----

func.func @cast(%a: vector<4xi32>) {
  // expected-error @+1 {{arith.sitofp: expected a result of the operand's shape, found vector<3xf32>}}
  %s = arith.sitofp %a : vector<4xi32> to vector<3xf32>
  func.return
}
