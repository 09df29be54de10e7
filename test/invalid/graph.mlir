// RUN: mlc-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{kernel exp: expected yielded values of types tensor<8xf32>, found tensor<4xf32>}}
  %0 = graph.kernel "exp" (%a = %x) -> (tensor<8xf32>) {
    %1 = nd.exp %a : tensor<4xf32>
    graph.yield %1 : tensor<4xf32>
  }
  func.return %x : tensor<4xf32>
}

// -----

func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{kernel none: expected at least one result, found none}}
  graph.kernel "none" (%a = %x) -> () {
    graph.yield
  }
  func.return %x : tensor<4xf32>
}

// -----

func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{launch of @exp: expected a function @exp in the module, found none}}
  %0 = graph.launch @exp(%x) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %0 : tensor<4xf32>
}

// -----

func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{launch of @exp: expected arguments (tensor<8xf32>), found (tensor<4xf32>)}}
  %0 = graph.launch @exp(%x) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %0 : tensor<4xf32>
}
func.func private @exp(%x: tensor<8xf32>) -> tensor<4xf32>

// -----

func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{launch of @exp: expected 1 places, one for each result, found 2}}
  %0 = graph.launch @exp(%x) {graph.places = [#graph.place<arena 0, 16>, #graph.place<arena 64, 16>]} : (tensor<4xf32>) -> tensor<4xf32>
  func.return %0 : tensor<4xf32>
}
func.func private @exp(%x: tensor<4xf32>) -> tensor<4xf32>

// -----

func.func @main() -> tensor<4xf32> {
  %w = nd.resource "w", "00000000000000000000000000000000" : tensor<4xf32>
  // expected-error @+1 {{prepare by @exp: expected a function @exp in the module, found none}}
  %0 = graph.prepare @exp(%w) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %0 : tensor<4xf32>
}

// -----

func.func @main() -> tensor<4xf32> {
  %w = nd.resource "w", "00000000000000000000000000000000" : tensor<4xf32>
  // expected-error @+1 {{expected one result, found 2}}
  %0, %1 = graph.prepare @exp(%w) : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  func.return %0 : tensor<4xf32>
}
