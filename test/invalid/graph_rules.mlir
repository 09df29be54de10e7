// RUN: mlc-opt %s --split-input-file --verify-diagnostics

!V = tensor<?x!nd.dtype<T>, #nd.sym<n>>
// expected-error @+1 {{expected simplify or explore}}
graph.rule @r(%x: !V) simple exact {
  graph.roots %x : !V
} => {
  graph.roots %x : !V
}

// -----

!V = tensor<?x!nd.dtype<T>, #nd.sym<n>>
// expected-error @+1 {{expected exact or ieee or fast}}
graph.rule @r(%x: !V) simplify sloppy {
  graph.roots %x : !V
} => {
  graph.roots %x : !V
}

// -----

!V = tensor<?x!nd.dtype<T>, #nd.sym<n>>
// expected-error @+1 {{graph.rule @r: expected the measure (work, work behind sums) of a simplify rule to fall, found (4, 0) and then (8, 0); make it kind explore}}
graph.rule @r(%x: !V) simplify exact {
  %0 = nd.neg %x : !V
  graph.roots %0 : !V
} => {
  %0 = nd.neg %x : !V
  %1 = nd.abs %0 : !V
  graph.roots %1 : !V
}

// -----

!V = tensor<?x!nd.dtype<T>, #nd.sym<n>>
// expected-error @+1 {{graph.rule @r: expected the same result types on both sides}}
graph.rule @r(%x: !V) simplify exact {
  %0 = nd.neg %x : !V
  graph.roots %0 : !V
} => {
  graph.roots %x, %x : !V, !V
}

// -----

!V = tensor<?x!nd.dtype<T>, #nd.sym<n>>
// expected-error @+1 {{graph.rule @r: expected the roots of the left side to share a value, found one apart from the others}}
graph.rule @r(%x: !V, %y: !V) simplify exact {
  %0 = nd.neg %x : !V
  %1 = nd.neg %y : !V
  graph.roots %0, %1 : !V, !V
} => {
  graph.roots %x, %y : !V, !V
}

// -----

!V = tensor<?x!nd.dtype<T>, #nd.sym<n>>
// expected-error @+1 {{graph.rule @r: expected every value of the left side in its roots, found %y unread}}
graph.rule @r(%x: !V, %y: !V) simplify exact {
  %0 = nd.neg %x : !V
  graph.roots %0 : !V
} => {
  graph.roots %x : !V
}

// -----

!V = tensor<?x!nd.dtype<T>, #nd.sym<n>>
// expected-error @+1 {{graph.rule @r: expected variables of the right side to be bound on the left, found dtype U}}
graph.rule @r(%x: !V) simplify exact {
  %0 = nd.neg %x : !V
  graph.roots %0 : !V
} => {
  %0 = nd.convert %x to !nd.dtype<U> : !V -> tensor<?x!nd.dtype<U>, #nd.sym<n>>
  %1 = nd.convert %0 to !nd.dtype<T> : tensor<?x!nd.dtype<U>, #nd.sym<n>> -> !V
  graph.roots %1 : !V
}

// -----

!V = tensor<?x!nd.dtype<T>, #nd.sym<n>>
// expected-error @+1 {{graph.rule @r: expected a predicate (float, integer, static, at_most, divides, unit_steps), found tiny}}
graph.rule @r(%x: !V) simplify exact where tiny(n) {
  %0 = nd.neg %x : !V
  graph.roots %0 : !V
} => {
  graph.roots %x : !V
}

// -----

!V = tensor<?x!nd.dtype<T>, #nd.sym<n>>
// expected-error @+1 {{graph.rule @r: expected variables of sort dtype in float(n), found n, a variable of sort size}}
graph.rule @r(%x: !V) simplify exact where float(n) {
  %0 = nd.neg %x : !V
  graph.roots %0 : !V
} => {
  graph.roots %x : !V
}

// -----

!V = tensor<?x?x!nd.dtype<T>, #nd.sym<n, ...>>
// expected-error @+1 {{graph.rule @r: expected ... as the first dimension only}}
graph.rule @r(%x: !V) simplify exact {
  %0 = nd.neg %x : !V
  graph.roots %0 : !V
} => {
  graph.roots %x : !V
}
