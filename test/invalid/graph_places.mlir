// RUN: mlc-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = graph.copy %x {graph.places = [#graph.place<arena 0, 16>]} : tensor<4xf32>
  // expected-error@+1 {{nd.scan: expected value 0 to be made where the first trip reads it, #graph.place<arena 64, 16>, found #graph.place<arena 0, 16>}}
  %r = nd.scan 3 carry (%c = %0) -> (tensor<4xf32>) attributes {graph.trip = "trip$0", graph.places = [#graph.place<arena 64, 16>]} {
    nd.yield %c : tensor<4xf32>
  }
  func.return %r : tensor<4xf32>
}

// -----

func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = graph.copy %x {graph.places = [#graph.place<arena 0, 16>]} : tensor<4xf32>
  // expected-error@+1 {{nd.scan: expected value 0 to be yielded where the next trip reads it, #graph.place<arena 0, 16>, found #graph.place<arena 64, 16>}}
  %r = nd.scan 3 carry (%c = %0) -> (tensor<4xf32>) attributes {graph.trip = "trip$0", graph.places = [#graph.place<arena 0, 16>]} {
    %1 = graph.copy %c {graph.places = [#graph.place<arena 64, 16>]} : tensor<4xf32>
    nd.yield %1 : tensor<4xf32>
  }
  func.return %r : tensor<4xf32>
}

// -----

func.func @f(%x: tensor<4xf32>) -> tensor<3x4xf32> {
  // expected-error@+1 {{nd.scan: expected value 0 to be yielded into the trip's part of the result, #graph.place<result 0 at 16*trip$0, 16>, found #graph.place<argument 0, 16>}}
  %s = nd.scan 3 (%c = %x) -> (tensor<3x4xf32>) attributes {graph.trip = "trip$0", graph.places = [#graph.place<result 0, 48>]} {
    nd.yield %c : tensor<4xf32>
  }
  func.return %s : tensor<3x4xf32>
}

// -----

func.func @f(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{nd.if: expected value 0 to be yielded where the result is, #graph.place<result 0, 16>, found #graph.place<argument 1, 16>}}
  %s = nd.if %p (%c = %x) -> (tensor<4xf32>) attributes {graph.places = [#graph.place<result 0, 16>]} {
    nd.yield %c : tensor<4xf32>
  } else {
    nd.yield %c : tensor<4xf32>
  }
  func.return %s : tensor<4xf32>
}

// -----

func.func @f(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{expected 1 places, one for each result, found 0}}
  %s = nd.if %p (%c = %x) -> (tensor<4xf32>) attributes {graph.places = []} {
    nd.yield %c : tensor<4xf32>
  } else {
    nd.yield %c : tensor<4xf32>
  }
  func.return %s : tensor<4xf32>
}
