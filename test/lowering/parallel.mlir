// RUN: mlc-opt %s -p "loop-tile{axis=i size=4 kind=parallel},loop-vectorize{axes=j},lower-loop" | FileCheck %s --check-prefix=LOOP
// RUN: mlc-opt %s -p "loop-tile{axis=i size=4 kind=parallel},loop-vectorize{axes=j},lower-loop" --emit-llvm --threads 2 | FileCheck %s --check-prefix=TWO
// RUN: mlc-opt %s -p "loop-tile{axis=i size=4 kind=parallel},loop-vectorize{axes=j},lower-loop" --emit-llvm --threads 1 | FileCheck %s --check-prefix=ONE
// A parallel loop is a function of a part of its range for several threads, and a plain loop for one. The temporary %e
// lies in the worker's own part of the workspace, 320 bytes with what keeps it apart from the next, %s behind it.

// LOOP-LABEL: func.func @rows(
// LOOP: scf.parallel (%i0) = (%c0) to (%c512) step (%c4) {
// LOOP: memref.alloc()

// TWO: declare void @mlc_parallel(ptr, ptr, i64, i64, ptr)
// TWO: define internal void @"mlc.rows.part[[K:[0-9]+]]"(i64 %begin, i64 %end, ptr %env, i64 %worker) nounwind
// TWO: %a0 = load ptr, ptr
// TWO: %o[[K]] = mul i64 %worker, 448
// TWO: %ws[[K]] = getelementptr i8, ptr %ws, i64 %s[[K]]
// TWO: %i[[K]] = phi i64 [ %begin, %entry ], [ %n[[K]],
// TWO: mul i64 %i[[K]], 64
// TWO: %n[[K]] = add nsw i64 %i[[K]], 1
// TWO: icmp slt i64 %n[[K]], %end
// TWO: define void @"mlc.rows"({{.*}}, ptr noalias %ws, ptr %context) nounwind
// TWO-NEXT: entry:
// TWO-NEXT: %env[[K]] = alloca { ptr,
// TWO: call void @mlc_parallel(ptr %context, ptr @"mlc.rows.part[[K]]", i64 0, i64 128, ptr %env[[K]])
// TWO-NEXT: ret void

// ONE-NOT: mlc_parallel
// ONE: define void @"mlc.rows"({{.*}}, ptr noalias %ws) nounwind
// ONE: phi i64 [ 0, %entry ]
func.func @rows(%x: tensor<512x16xf32>) -> tensor<512x16xf32> {
  %e, %s = loop.stage twice [i: 512, j: 16] (%a = %x[i, j]) -> [i, j], add [i] {
    %b = arith.addf %a, %a : f32
    loop.yield %b, %a : f32, f32
  }
  %y = loop.stage turn [i: 512, j: 16] (%a = %e[i, 15 - j], %t = %s[i]) -> [i, j] {
    %p = arith.mulf %a, %t : f32
    loop.yield %p : f32
  }
  func.return %y : tensor<512x16xf32>
}
