// RUN: mlc-opt %s -p graph-fuse --split-input-file | FileCheck %s --check-prefix=FUSE
// RUN: mlc-opt %s -p graph-fuse,graph-outline --split-input-file | FileCheck %s --check-prefix=OUTLINE
// RUN: mlc-opt %s -p graph-fuse,graph-outline,graph-plan --split-input-file | FileCheck %s --check-prefix=PLAN

// A recurrence: the constant moves into the region. The product cannot be computed in place, so that its state swaps
// between two places; the slices that are stacked are written where they belong.
// FUSE-LABEL: func.func @recurrence
// FUSE-NEXT:    %r, %s = nd.scan 16 (%m = %w) carry (%c = %h) each (%x = %xs) -> (tensor<8xf32>, tensor<16x8xf32>) {
// FUSE-NEXT:      %0 = graph.kernel "matmul_mul_add" (%m_1 = %m, %c_1 = %c, %x_1 = %x) -> (tensor<8xf32>) {
// FUSE-NEXT:        nd.contract
// FUSE-NEXT:        %half = nd.constant 0.5
// FUSE:           }
// FUSE-NEXT:      nd.yield %0, %0
// FUSE-NEXT:    }
// PLAN-LABEL: func.func @recurrence
// PLAN-SAME:    graph.arena = #graph.size<128>
// PLAN-NEXT:    %h_1 = graph.copy %h {graph.places = [#graph.place<arena 0, 32>]}
// PLAN-NEXT:    %r, %s = nd.scan 16 (%m = %w) carry (%c = %h_1) each (%x = %xs)
// PLAN-SAME:      graph.trip = "trip$0"
// PLAN-SAME:      graph.places = [#graph.place<arena -128*((trip$0) floordiv 2) + 64*trip$0, 32>, #graph.place<result 1, 512>]
// PLAN-NEXT:      %0 = graph.launch @matmul_mul_add(%m, %c, %x) {graph.places = [#graph.place<arena -128*((trip$0 + 1) floordiv 2) + 64*trip$0 + 64, 32>]}
// PLAN-NEXT:      %1 = graph.copy %0 {graph.places = [#graph.place<result 1 at 32*trip$0, 32>]}
// PLAN-NEXT:      nd.yield %0, %1
// PLAN-NEXT:    }
// PLAN-NEXT:    %r_1 = graph.copy %r {graph.places = [#graph.place<result 0, 32>]}
func.func @recurrence(%w: tensor<8x8xf32>, %h: tensor<8xf32>, %xs: tensor<16x8xf32>) -> (tensor<8xf32>, tensor<16x8xf32>) {
  %half = nd.constant 0.5 : tensor<8xf32>
  %r, %s = nd.scan 16 (%m = %w, %k = %half) carry (%c = %h) each (%x = %xs) -> (tensor<8xf32>, tensor<16x8xf32>) {
    %0 = nd.contract %m, %c "a b, b -> a" : (tensor<8x8xf32>, tensor<8xf32>) -> tensor<8xf32>
    %1 = nd.mul %0, %k : tensor<8xf32>
    %2 = nd.add %1, %x : tensor<8xf32>
    nd.yield %2, %2 : tensor<8xf32>, tensor<8xf32>
  }
  func.return %r, %s : tensor<8xf32>, tensor<16x8xf32>
}

// -----

// What is elementwise is computed in place, in the buffer of the result; reversed slices step back.
// PLAN-LABEL: func.func @in_place
// PLAN-SAME:    graph.arena = #graph.size<0>
// PLAN-NEXT:    %h_1 = graph.copy %h {graph.places = [#graph.place<result 0, 32>]}
// PLAN-NEXT:    nd.scan 16 reverse carry (%c = %h_1) each (%x = %xs)
// PLAN-SAME:      graph.places = [#graph.place<result 0, 32>, #graph.place<result 1, 512>]
// PLAN-NEXT:      graph.launch @add_exp(%c, %x) {graph.places = [#graph.place<result 0, 32>, #graph.place<result 1 at -32*trip$0 + 480, 32>]}
// PLAN-NEXT:      nd.yield
// PLAN-NEXT:    }
// PLAN-NEXT:    func.return
// PLAN:       func.func private @add_exp(%c: tensor<8xf32> {mlc.inplace = 0 : i64}
func.func @in_place(%h: tensor<8xf32>, %xs: tensor<16x8xf32>) -> (tensor<8xf32>, tensor<16x8xf32>) {
  %r, %s = nd.scan 16 reverse carry (%c = %h) each (%x = %xs) -> (tensor<8xf32>, tensor<16x8xf32>) {
    %0 = nd.add %c, %x : tensor<8xf32>
    %1 = nd.exp %0 : tensor<8xf32>
    nd.yield %0, %1 : tensor<8xf32>, tensor<8xf32>
  }
  func.return %r, %s : tensor<8xf32>, tensor<16x8xf32>
}

// -----

// Kernels in a loop, in a branch and outside are one function; both branches write where the result is.
// OUTLINE-LABEL: func.func @shared
// OUTLINE:         graph.launch @exp(%x)
// OUTLINE-NEXT:    nd.if %p (%a = %0)
// OUTLINE-NEXT:      graph.launch @exp(%a)
// OUTLINE:         } else {
// OUTLINE:           nd.scan
// OUTLINE-NEXT:        graph.launch @exp(
// OUTLINE:       func.func private @exp(
// OUTLINE-NOT:   @exp_1
// PLAN-LABEL: func.func @shared
// PLAN:         nd.if %p (%a = %0) -> (tensor<4xf32>) attributes {graph.places = [#graph.place<result 0, 16>]} {
// PLAN-NEXT:      graph.launch @exp(%a) {graph.places = [#graph.place<result 0, 16>]}
// PLAN:         } else {
// PLAN:           nd.scan
// PLAN:           graph.launch @copy(%{{.*}}) {graph.places = [#graph.place<result 0, 16>]}
// PLAN-NEXT:      nd.yield
func.func @shared(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.exp %x : tensor<4xf32>
  %1 = nd.if %p (%a = %0) -> (tensor<4xf32>) {
    %2 = nd.exp %a : tensor<4xf32>
    nd.yield %2 : tensor<4xf32>
  } else {
    %2 = nd.scan 3 carry (%c = %a) -> (tensor<4xf32>) {
      %3 = nd.exp %c : tensor<4xf32>
      nd.yield %3 : tensor<4xf32>
    }
    %4 = nd.reverse %2 [0] : tensor<4xf32>
    nd.yield %4 : tensor<4xf32>
  }
  func.return %1 : tensor<4xf32>
}

// -----

// A value from outside lives through the loop that reads it: the loop's own values lie elsewhere.
// PLAN-LABEL: func.func @outlives
// PLAN-NEXT:    graph.launch @exp(%x) {graph.places = [#graph.place<arena 0, 16>]}
// PLAN-NEXT:    graph.copy %x {graph.places = [#graph.place<result 0, 16>]}
// PLAN-NEXT:    nd.while (%w = %0) carry (%c = %x_1)
// PLAN-NEXT:      graph.launch @sum_compare(%c)
// PLAN-NEXT:      nd.yield
// PLAN-NEXT:    } do {
// PLAN-NEXT:      graph.launch @sum(%w) {graph.places = [#graph.place<arena 64, 4>]}
// PLAN-NEXT:      graph.launch @add(%c, {{.*}} {graph.places = [#graph.place<result 0, 16>]}
func.func @outlives(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.exp %x : tensor<4xf32>
  %1 = nd.while (%w = %0) carry (%c = %x) -> (tensor<4xf32>) {
    %2 = nd.reduce sum %c "a -> " : (tensor<4xf32>) -> tensor<f32>
    %3 = nd.constant 100.0 : tensor<f32>
    %4 = nd.compare lt %2, %3 : tensor<f32> -> tensor<i1>
    nd.yield %4 : tensor<i1>
  } do {
    %2 = nd.reduce sum %w "a -> " : (tensor<4xf32>) -> tensor<f32>
    %3 = nd.broadcast %2 " -> a" : tensor<f32> -> tensor<4xf32>
    %4 = nd.add %c, %3 : tensor<4xf32>
    nd.yield %4 : tensor<4xf32>
  }
  func.return %1 : tensor<4xf32>
}

// -----

// A check reads one truth value; effects stay in order, between kernels.
// FUSE-LABEL: func.func @effects
// FUSE-NEXT:    graph.kernel "all"
// FUSE-NEXT:      nd.reduce all
// FUSE:         nd.check %0 "all of them" : tensor<i1>
// FUSE:         nd.print "x {}" %{{.*}} : tensor<4xf32>
// FUSE-NEXT:    nd.print "again"
func.func @effects(%p: tensor<4xi1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  nd.check %p "all of them" : tensor<4xi1>
  %0 = nd.exp %x : tensor<4xf32>
  nd.print "x {}" %0 : tensor<4xf32>
  nd.print "again"
  %1 = nd.exp %0 : tensor<4xf32>
  func.return %1 : tensor<4xf32>
}
