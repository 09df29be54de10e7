// RUN: mlc-opt %s -p nd-to-stablehlo --split-input-file --verify-diagnostics
// What StableHLO cannot say is an error at its place.

// expected-error@+1 {{expected sizes that are numbers, found tensor<?xf32, #nd.sym<n>>; write the program for one size}}
func.func @sizes(%x: tensor<?xf32, #nd.sym<n>>) -> tensor<?xf32, #nd.sym<n>> {
  %y = nd.exp %x : tensor<?xf32, #nd.sym<n>>
  return %y : tensor<?xf32, #nd.sym<n>>
}

// -----

func.func @check(%p: tensor<i1>) {
  // expected-error@+1 {{expected a program without effects, found nd.check, which StableHLO cannot say; effects=drop leaves it out}}
  nd.check %p "p" : tensor<i1>
  return
}

// -----

func.func @print(%p: tensor<i1>) {
  nd.if %p -> () {
    // expected-error@+1 {{expected a program without effects, found nd.print}}
    nd.print "p"
    nd.yield
  } else {
    nd.yield
  }
  return
}

// -----

func.func @other(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{expected ops of the tensor level, found math.exp}}
  %y = math.exp %x : tensor<4xf32>
  return %y : tensor<4xf32>
}
