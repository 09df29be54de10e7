// RUN: mlc-opt %s -p apply-rules --split-input-file --verify-diagnostics

!V = tensor<?x!nd.dtype<T>, #nd.sym<n>>
// expected-error @+1 {{rule @halved is false: expected equal sides, found [2] on the left and [1] on the right for n = 1}}
graph.rule @halved(%x: !V) simplify exact {
  %0 = nd.add %x, %x : !V
  graph.roots %0 : !V
} => {
  graph.roots %x : !V
}

// -----

!V = tensor<?x!nd.dtype<T>, #nd.sym<n>>
// expected-error @+1 {{rule @difference is false: expected equal sides, found [1] on the left and [-1] on the right}}
graph.rule @difference(%x: !V, %y: !V) simplify fast where float(T) {
  %0 = nd.sub %x, %y : !V
  %1 = nd.neg %0 : !V
  graph.roots %1 : !V
} => {
  %0 = nd.sub %x, %y : !V
  graph.roots %0 : !V
}

// -----

!V = tensor<?x!nd.dtype<T>, #nd.sym<...>>
// expected-error @+1 {{rule @no_zero is false: expected equal sides, found 0.0 on the left and -0.0 on the right}}
graph.rule @no_zero(%x: !V) simplify exact where float(T) {
  %0 = nd.constant 0.0 : !V
  %1 = nd.add %x, %0 : !V
  graph.roots %1 : !V
} => {
  graph.roots %x : !V
}

// -----

!V = tensor<?x!nd.dtype<T>, #nd.sym<n>>
graph.rule @syntax(%x: !V) simplify exact {
  // expected-error @+1 {{unknown operation nd.negate; did you mean nd.neg?}}
  %0 = nd.negate %x : !V
  graph.roots %0 : !V
} => {
  graph.roots %x : !V
}

// -----

!V = tensor<?x!nd.dtype<T>, #nd.sym<n>>
// expected-error @+1 {{graph.rule @free: expected variables of the right side to be bound on the left, found size m}}
graph.rule @free(%x: !V) simplify exact {
  %0 = nd.neg %x : !V
  %1 = nd.neg %0 : !V
  graph.roots %1 : !V
} => {
  %0 = nd.constant 0.0 : tensor<?x!nd.dtype<T>, #nd.sym<m>>
  graph.roots %x : !V
}

// -----

!V = tensor<?x!nd.dtype<T>, #nd.sym<n>>
graph.rule @value(%x: !V) simplify exact {
  %0 = nd.neg %x : !V
  %1 = nd.neg %0 : !V
  graph.roots %1 : !V
} => {
  // expected-error @+1 {{found %y}}
  graph.roots %y : !V
}

// -----

!V = tensor<?x!nd.dtype<T>, #nd.sym<n>>
!W = tensor<?x!nd.dtype<T>, #nd.sym<m>>
graph.rule @clash(%x: !V, %y: !W) simplify exact {
  // expected-error @+1 {{expected operands of one type, found}}
  %0 = "nd.add"(%x, %y) : (!V, !W) -> !V
  graph.roots %0 : !V
} => {
  graph.roots %x : !V
}
