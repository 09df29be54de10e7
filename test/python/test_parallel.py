"""Parallel loops: what is emitted, what it computes, and the pool under threads, forks and nesting."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from kernel_cases import LAYERNORM, MATMUL, SOFTMAX, Case
from mlc import nn
from mlc.compiler.driver import run
from mlc.compiler.native import compile_kernel, run_kernel
from mlc.compiler.parsing import parse_module
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.op import EXACT, Tolerance
from mlc.lowering.emit.kernel import emit_kernel
from mlc.lowering.emit.parallel import free_names, type_of
from mlc.runtime import jit, parallel, pool
from mlc.runtime.context import Context
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches
from test_random_kernels import COLUMN, ROW, WHOLE, Writer
from xdsl.dialects.func import FuncOp

NEAR = Tolerance(ulp=16, sums=16)

Array = np.ndarray[Any, Any]
R = np.random.default_rng(5)
needs_pool = pytest.mark.skipif(not pool.supported(), reason="no futexes")


def lowered(text: str, *passes: str) -> FuncOp:
    module = parse_module(text, "kernel.mlir")
    run(module, [*passes, "lower-loop", "expand-math"])
    return next(op for op in module.walk() if isinstance(op, FuncOp))


# ---- emission
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("getelementptr float, ptr %a, i64 3", "ptr"),
        ("icmp slt i64 %a, %b", "i1"),
        ("fcmp olt <16 x float> %a, %b", "<16 x i1>"),
        ("select <4 x i1> %c, <4 x float> %a, <4 x float> %b", "<4 x float>"),
        ("select i1 %c, double %a, double %b", "double"),
        ("extractelement <8 x i32> %a, i64 3", "i32"),
        ("insertelement <8 x float> poison, float %a, i64 0", "<8 x float>"),
        ("shufflevector <8 x float> %a, <8 x float> poison, <16 x i32> zeroinitializer", "<16 x float>"),
        ("shufflevector <8 x i32> %a, <8 x i32> poison, <4 x i32> <i32 0, i32 1, i32 2, i32 3>", "<4 x i32>"),
        ("zext <4 x i1> %a to <4 x i8>", "<4 x i8>"),
        ("ptrtoint ptr %a to i64", "i64"),
        ("inttoptr i64 %a to ptr", "ptr"),
        ("load <16 x float>, ptr %a, align 4", "<16 x float>"),
        (
            "call contract <16 x float> @llvm.fma.v16f32(<16 x float> %a, <16 x float> %b, <16 x float> %c)",
            "<16 x float>",
        ),
        ("fadd contract half %a, %b", "half"),
        ("phi i64 [ 0, %entry ], [ %n, %loop ]", "i64"),
        ("mul nsw i64 %a, 4", "i64"),
    ],
)
def test_type_of_an_instruction(text: str, kind: str) -> None:
    assert type_of(text) == kind


def test_free_names() -> None:
    lines = ["  br label %loop", "loop:", "  %i = phi i64 [ %begin, %entry ], [ %n, %loop ]", "  %n = add i64 %i, %far"]
    assert free_names(lines) == ["%far"]


CAPTURES = """func.func @k(%x: memref<?x20xf32>, %s: memref<1xf32>, %n: index, %f: f64, %out: memref<?x20xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %z = arith.constant 0.0 : f32
  %v = vector.transfer_read %s[%c0], %z {in_bounds = [true]} : memref<1xf32>, vector<1xf32>
  %w = vector.broadcast %v : vector<1xf32> to vector<20xf32>
  %g = arith.truncf %f : f64 to f32
  %b = vector.broadcast %g : f32 to vector<20xf32>
  %high = memref.dim %x, %c0 : memref<?x20xf32>
  scf.for %j = %c0 to %c2 step %c1 {
    "scf.parallel"(%n, %high, %c3) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
    ^bb0(%i: index):
      %t = memref.alloc() : memref<20xf32>
      %a = vector.transfer_read %x[%i, %c0], %z {in_bounds = [true]} : memref<?x20xf32>, vector<20xf32>
      %p = arith.mulf %a, %w : vector<20xf32>
      vector.transfer_write %p, %t[%c0] {in_bounds = [true]} : vector<20xf32>, memref<20xf32>
      %q = vector.transfer_read %t[%c0], %z {in_bounds = [true]} : memref<20xf32>, vector<20xf32>
      %o = vector.transfer_read %out[%i, %c0], %z {in_bounds = [true]} : memref<?x20xf32>, vector<20xf32>
      %y = arith.addf %q, %b : vector<20xf32>
      %r = arith.addf %y, %o : vector<20xf32>
      vector.transfer_write %r, %out[%i, %c0] {in_bounds = [true]} : vector<20xf32>, memref<?x20xf32>
      scf.reduce
    }) : (index, index, index) -> ()
  }
  func.return
}"""


@pytest.mark.parametrize("rows", [0, 1, 2, 7, 200])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_body_sees_what_is_around_it(rows: int, threads: int) -> None:
    module = parse_module(CAPTURES, "k.mlir")
    f = next(op for op in module.walk() if isinstance(op, FuncOp))
    x, s = R.standard_normal((rows, 20)).astype("f4"), np.array([3.0], "f4")
    out = np.zeros((rows, 20), "f4")
    compile_kernel(f, threads=threads)(x, s, 1, 0.5, out)
    want = np.zeros_like(x)
    want[1::3] = 2 * (x[1::3] * np.float32(3) + np.float32(0.5))
    assert_matches(NEAR, out, want)


GRID = """func.func @k(%x: memref<7x5x3xi32>, %out: memref<7x5x3xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c5 = arith.constant 5 : index
  %c7 = arith.constant 7 : index
  "scf.parallel"(%c1, %c0, %c0, %c7, %c5, %c3, %c2, %c1, %c2) <{operandSegmentSizes = array<i32: 3, 3, 3, 0>}> ({
  ^bb0(%i: index, %j: index, %k: index):
    %a = memref.load %x[%i, %j, %k] : memref<7x5x3xi32>
    %b = memref.load %out[%i, %j, %k] : memref<7x5x3xi32>
    %c = arith.addi %a, %b : i32
    memref.store %c, %out[%i, %j, %k] : memref<7x5x3xi32>
    scf.reduce
  }) : (index, index, index, index, index, index, index, index, index) -> ()
  func.return
}"""


@pytest.mark.parametrize("threads", [1, 3])
def test_several_dimensions_are_one_range(threads: int) -> None:
    f = next(op for op in parse_module(GRID, "k.mlir").walk() if isinstance(op, FuncOp))
    x, out = R.integers(0, 99, (7, 5, 3)).astype("i4"), np.zeros((7, 5, 3), "i4")
    compile_kernel(f, threads=threads)(x, out)
    want = np.zeros_like(x)
    want[1::2, :, ::2] = x[1::2, :, ::2]
    assert (out == want).all()


def test_one_thread_runs_in_order() -> None:
    f = lowered(MATMUL, "loop-tile{axis=i size=2 kind=parallel}")
    assert "mlc_parallel" not in emit_kernel(f).llvm_ir
    assert "mlc_parallel" in emit_kernel(f, threads=2).llvm_ir


def test_inner_loops_are_in_order() -> None:
    f = lowered(MATMUL, "loop-tile{axis=i size=2 kind=parallel},loop-tile{axis=j size=3 kind=parallel}")
    text = emit_kernel(f, threads=2).llvm_ir
    parts, kernel = text.split('define void @"mlc.f"')
    assert "call void @mlc_parallel" not in parts
    assert kernel.count("call void @mlc_parallel") == parts.count("define internal") > 0


def test_sums_over_a_parallel_axis_are_in_order() -> None:
    text = """func.func @f(%x: tensor<64x8xf32>) -> tensor<8xf32> {
      %s = loop.for i0 = 64 step 8 parallel -> add [0] {
        %t = loop.stage s [i: 8, j: 8] (%a = %x[i + i0, j]) -> add [j] { loop.yield %a : f32 }
        loop.yield %t : tensor<8xf32>
      }
      func.return %s : tensor<8xf32>
    }"""
    assert "mlc_parallel" not in emit_kernel(lowered(text), threads=2).llvm_ir


SCHEDULED = [
    (MATMUL, "loop-tile{axis=i size=2 kind=parallel},loop-tile{axis=j size=16 only=mm,epi},loop-vectorize{axes=i,j}"),
    (MATMUL, "loop-tile{axis=j size=4 kind=parallel},loop-vectorize{axes=i,j}"),
    (MATMUL, "loop-tile{axis=i size=3 balanced=true kind=parallel},loop-vectorize{axes=j}"),
    (LAYERNORM, "loop-tile{axis=i size=1 kind=parallel},loop-split{axis=j size=16},loop-vectorize{axes=j}"),
    (SOFTMAX, "loop-nest{axis=i kind=parallel},loop-vectorize{axes=j}"),
    (SOFTMAX, "loop-tile{axis=i size=4 kind=parallel},loop-vectorize{axes=j}"),
]


@pytest.mark.parametrize("number", range(len(SCHEDULED)))
def test_scheduled_kernels_compute_the_same(number: int) -> None:
    text, schedule = SCHEDULED[number]
    for n in (0, 1, 5, 30) if "#nd.sym" in text else (0,):
        inputs = Case("case", text).inputs(n)
        f = lowered(text, schedule)
        one, several = run_kernel(f, inputs, threads=1), run_kernel(f, inputs, threads=3)
        for a, b in zip(one, several, strict=True):
            assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("chunk", range(3))
def test_random_kernels_with_parallel_rows(chunk: int) -> None:
    shared = 0
    for seed in range(15 * chunk, 15 * chunk + 15):
        text = Writer(seed).kernel()
        r = np.random.default_rng(seed)
        inputs = [r.integers(-50, 50, shape).astype("i4") for shape in (WHOLE, ROW, COLUMN)]
        wanted = Interpreter(parse_module(text, "kernel.mlir")).call("f", *inputs)
        passes = [f"loop-tile{{axis={'ij'[seed % 2]} size=1 kind=parallel}}"]
        try:
            f = lowered(text, *passes)
        except CompileError:  # the axis is a vector's, or no outermost one
            continue
        shared += "mlc_parallel" in emit_kernel(f, threads=2).llvm_ir
        for k, (got, want) in enumerate(zip(run_kernel(f, inputs, threads=2), wanted, strict=True)):
            try:
                assert_matches(EXACT, got, want)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}, result {k}:\n{text}") from error
    assert shared


# ---- whole programs
def attention(q: Any, k: Any, v: Any) -> Any:
    return nn.softmax(mnp.einsum("hid,hjd->hij", q, k)) @ v


PROGRAMS: dict[str, tuple[Any, tuple[tuple[int, ...], ...]]] = {
    "map": (lambda x, y: mnp.tanh(x) * y, ((100_003,), (100_003,))),
    "rows": (nn.softmax, ((301, 257),)),
    "columns": (lambda x: x.sum(0), ((257, 1030),)),
    "matmul": (lambda a, b: mnp.tanh(a @ b), ((211, 130), (130, 301))),
    "turned": (lambda a, b: a @ b.T, ((130, 200), (210, 200))),
    "gemv": (lambda a, b: a @ b, ((1, 700), (700, 1400))),
    "transpose": (lambda a: a.T + 1.0, ((301, 517),)),
    "batches": (lambda a, b: a @ b, ((6, 70, 40), (6, 40, 90))),
    "attention": (attention, ((5, 70, 32), (5, 90, 32), (5, 90, 32))),
    "several": (lambda x: (mnp.exp(x).sum(1), x * 2.0, x.max(0)), ((400, 300),)),
}


@needs_pool
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_compute_the_same_bits_on_two_threads(name: str, stress: int, shared_work: None) -> None:
    f, shapes = PROGRAMS[name]
    arrays = [R.standard_normal(s).astype("f4") for s in shapes]
    one, two = (mlc.compile(f, *arrays, threads=n) for n in (1, 2))
    assert two.program.threads == 2 and any(k["parallel"] for k in two.report()["kernels"])
    assert one.program.threads == 1 and not any(k["parallel"] for k in one.report()["kernels"])

    def values(exe: Any) -> list[bytes]:
        out = exe(*arrays)
        return [a.tobytes() for a in (out if isinstance(out, tuple) else (out,))]

    first = values(two)
    assert name not in ("map", "rows", "transpose") or first == values(one)
    wanted = one(*arrays)
    for a, b in zip(*(x if isinstance(x, tuple) else (x,) for x in (two(*arrays), wanted))):
        assert_matches(NEAR, a, b)
    busy = threading.Event()
    load = threading.Thread(target=lambda: [two(*arrays) for _ in iter(busy.is_set, True)])
    load.start()
    try:
        assert all(values(two) == first for _ in range(10 * stress))
    finally:
        busy.set()
        load.join()


def test_small_programs_stay_serial() -> None:
    x = np.ones(64, "f4")
    one, two = (mlc.compile(lambda a: a + 1.0, x, threads=n) for n in (1, 2))
    assert one.llvm_ir() == two.llvm_ir() and two.program.threads == 1
    assert one.objects == two.objects


@needs_pool
def test_symbolic_sizes() -> None:
    exe = mlc.compile(nn.softmax, mlc.spec(("n", 257)), threads=2)
    assert exe.program.threads == 2
    for n in (0, 1, 2, 9, 500):
        x = R.standard_normal((n, 257)).astype("f4")
        e = np.exp(x - x.max(1, keepdims=True))
        assert_matches(NEAR, exe(x), e / e.sum(1, keepdims=True))


@needs_pool
def test_donated_arguments(shared_work: None) -> None:
    x = R.standard_normal(100_003).astype("f4")
    want = x * 2 + 1
    exe = mlc.compile(lambda a: a * 2.0 + 1.0, x, donate=[0], threads=2)
    assert exe.program.threads == 2 and "clamp" not in exe.mlir("loop")
    given = x.copy()
    got = exe(given)
    assert got is given and (got == want).all()


def test_stored_programs_keep_their_threads() -> None:
    x = R.standard_normal(200_000).astype("f4")
    exe = mlc.compile(mnp.exp, x, threads=2)
    again, _ = type(exe).from_bytes(exe.to_bytes())
    assert again.program.threads == 2 and again(x).tobytes() == exe(x).tobytes()


def test_threads_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.ones(200_000, "f4")
    monkeypatch.setenv("MLC_THREADS", "2")
    assert mlc.compile(mnp.exp, x).options.threads == 2
    assert mlc.compile(mnp.exp, x, threads=1).options.threads == 1
    assert mlc.jit(mnp.exp, threads=3).compile(x).options.threads == 3
    for wrong in ("0", "many", "-1"):
        monkeypatch.setenv("MLC_THREADS", wrong)
        with pytest.raises(CompileError, match="threads: expected a number from 1 to 1024"):
            mlc.compile(mnp.exp, x)


# ---- who runs it
BODY = """
define void @body(i64 %begin, i64 %end, ptr %counts, i64 %worker) {
entry:
  br label %loop
loop:
  %i = phi i64 [ %begin, %entry ], [ %next, %loop ]
  %at = getelementptr i64, ptr %counts, i64 %i
  %old = load i64, ptr %at
  %new = add i64 %old, 1
  store i64 %new, ptr %at
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %end
  br i1 %more, label %loop, label %done
done:
  ret void
}
declare void @mlc_parallel(ptr, ptr, i64, i64, ptr)
define void @many(ptr %context, i64 %times, i64 %count, ptr %counts) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  call void @mlc_parallel(ptr %context, ptr @body, i64 0, i64 %count, ptr %counts)
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %times
  br i1 %more, label %loop, label %done
done:
  ret void
}
define void @outer(i64 %begin, i64 %end, ptr %context.counts, i64 %worker) {
  %context = load ptr, ptr %context.counts
  %at = getelementptr ptr, ptr %context.counts, i64 1
  %counts = load ptr, ptr %at
  %from = mul i64 %begin, 100
  %to = mul i64 %end, 100
  call void @mlc_parallel(ptr %context, ptr @body, i64 %from, i64 %to, ptr %counts)
  ret void
}
define void @nested(ptr %context, i64 %count, ptr %context.counts) {
  call void @mlc_parallel(ptr %context, ptr @outer, i64 0, i64 %count, ptr %context.counts)
  ret void
}
"""


@pytest.fixture(scope="module")
def counting() -> Any:
    return jit.Linked([jit.compile_object(BODY)], {parallel.SYMBOL: parallel.address()})


def count(linked: Any, kind: str, threads: int, size: int, times: int) -> Array:
    context = Context()
    context.pool = parallel.pool_of(kind, threads)
    counts = np.zeros(size + 1, np.int64)
    kinds = (ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
    many = ctypes.CFUNCTYPE(None, *kinds)(linked.address("many"))
    many(ctypes.addressof(context), times, size, counts.ctypes.data)
    return counts


@pytest.mark.parametrize("kind", parallel.KINDS)
@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_every_part_is_done_once(counting: Any, kind: str, threads: int, stress: int) -> None:
    for size in (0, 1, 2, 3, 9, 100, 1003):
        counts = count(counting, kind, threads, size, 100 * stress)
        assert (counts[:size] == 100 * stress).all() and counts[size] == 0


def test_without_a_context_the_caller_does_it(counting: Any) -> None:
    many = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
    counts = np.zeros(10, np.int64)
    many(counting.address("many"))(None, 3, 10, counts.ctypes.data)
    assert (counts == 3).all()


@pytest.mark.parametrize("kind", parallel.KINDS)
def test_a_loop_inside_of_a_loop(counting: Any, kind: str) -> None:
    context, counts = Context(), np.zeros(1000, np.int64)
    context.pool = parallel.pool_of(kind, 2)
    pair = (ctypes.c_void_p * 2)(ctypes.addressof(context), counts.ctypes.data)
    nested = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)(counting.address("nested"))
    for _ in range(50):
        nested(ctypes.addressof(context), 10, ctypes.addressof(pair))
    assert (counts == 50).all()


@needs_pool
def test_eight_threads_call_programs_for_two(stress: int) -> None:
    x = R.standard_normal((900, 200)).astype("f4")
    exe = mlc.compile(lambda a: nn.softmax(a) * 2.0, x, threads=2)
    assert exe.program.threads == 2
    want, wrong = exe(x).tobytes(), []

    def work() -> None:
        for _ in range(50 * stress):
            if exe(x).tobytes() != want:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


@needs_pool
@pytest.mark.own_process
def test_a_forked_child_has_its_own_pool() -> None:
    x = R.standard_normal(200_000).astype("f4")
    exe = mlc.compile(mnp.exp, x, threads=2)
    want = exe(x).tobytes()
    child = os.fork()
    if not child:
        same = all(exe(x).tobytes() == want for _ in range(20))
        os._exit(0 if same and len(os.listdir("/proc/self/task")) > 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert exe(x).tobytes() == want


@needs_pool
def test_threads_take_no_signals() -> None:
    parallel.pool_of("pool", 2)
    own = threading.get_native_id()
    python = {t.native_id for t in threading.enumerate()}
    masks = {}
    for task in map(int, os.listdir("/proc/self/task")):
        if task != own and task not in python:
            with open(f"/proc/self/task/{task}/status") as file:
                masks[task] = next(int(line.split()[1], 16) for line in file if line.startswith("SigBlk"))
    assert any(mask >> (signal.SIGINT - 1) & 1 for mask in masks.values())


@needs_pool
def test_a_process_ends_while_its_pool_sleeps_or_works() -> None:
    program = """
import threading, time, numpy as np, mlc, mlc.numpy as mnp
x = np.ones(400_000, "f4")
exe = mlc.compile(mnp.exp, x, threads=2)
exe(x)
threading.Thread(target=lambda: [exe(x) for _ in iter(int, 1)], daemon=True).start()
time.sleep(0.1)
print("done")
"""
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout == "done\n", done.stderr
    assert time.monotonic() - start < 30


def test_the_backend_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    x = R.standard_normal(200_000).astype("f4")
    found = []
    for kind in parallel.KINDS:
        monkeypatch.setenv("MLC_PARALLEL", kind)
        exe = mlc.compile(mnp.tanh, x, threads=2)
        found.append(exe(x).tobytes())
    assert len(set(found)) == 1


def test_openmp_is_used_where_it_is_loaded() -> None:
    program = """
import ctypes, sys
try:
    ctypes.CDLL("libgomp.so.1", mode=ctypes.RTLD_LOCAL)
except OSError:
    sys.exit(3)
from mlc.runtime import parallel
assert parallel.openmp() is not None
import numpy as np, mlc, mlc.numpy as mnp
x = np.linspace(0, 1, 300_000, dtype="f4")
exe = mlc.compile(mnp.exp, x, threads=2)
assert exe.program.threads == 2
np.testing.assert_allclose(exe(x), np.exp(x), rtol=1e-6)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "MLC_PARALLEL": "openmp"},
    )
    if done.returncode == 3:
        pytest.skip("no libgomp here")
    assert done.returncode == 0, done.stderr
