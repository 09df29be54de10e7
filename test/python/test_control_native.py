"""Control flow as native code, and every pass on the way there in the interpreter, which follows the memory plan."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from control_cases import CASES
from mlc.compiler.compile import Compiled, compile_module, lower, modules
from mlc.compiler.driver import passes_of, run
from mlc.compiler.frontend.tracing import trace
from mlc.compiler.options import CompileOptions
from mlc.compiler.parsing import parse_module
from mlc.compiler.printing import print_ir
from mlc.compiler.transforms import plan_buffers
from mlc.compiler.transforms.plan_lifetimes import Lifetimes
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.op import EXACT, Tolerance
from mlc.runtime import jit
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches
from test_control import CLOSE, leaves

NEAR = Tolerance(ulp=16, sums=16)

F = np.float32
V = np.zeros(4, F)


def compiled(fn: Callable[..., Any], *args: Any, **options: Any) -> Compiled:
    return compile_module(trace(fn, args, "main").module, **options)


def results(out: Any) -> list[Any]:
    return list(out) if isinstance(out, tuple) else [out]


def same(got: Any, want: Any) -> None:
    for g, w in zip(results(got), leaves(want), strict=True):
        assert_matches(CLOSE, g, np.asarray(w, g.dtype))


@pytest.mark.parametrize("name", CASES)
def test_native(name: str) -> None:
    case = CASES[name]
    exe = compiled(case.fn, *case.args)
    for _ in range(2):
        same(exe(*case.args), case.reference(*case.args))


@pytest.mark.parametrize("name", CASES)
def test_every_pass(name: str) -> None:
    """The interpreter runs the module after every pass that changes it, as it is read back."""
    case = CASES[name]
    module = trace(case.fn, case.args, "main").module
    before = ""
    for pass_ in passes_of("cpu"):
        run(module, [pass_])
        text = print_ir(module)
        if text == before:
            continue
        before = text
        again = parse_module(text, "text")
        same(tuple(Interpreter(again).call("main", *case.args)), case.reference(*case.args))


def test_a_million_trips() -> None:
    def fn(n: Any, x: Any) -> Any:
        return mlc.while_loop(lambda c: c[0] < n, lambda c: (c[0] + 1, c[1] * 1.000001 + 0.5), (0, x))

    exe = compiled(fn, np.int64(0), F(1))
    start = time.perf_counter()
    n, _ = exe(np.int64(1_000_000), F(1))
    assert n == 1_000_000
    assert time.perf_counter() - start < 1


def test_compile_time_does_not_depend_on_trips() -> None:
    texts: list[str] = []
    for trips in (12_345, 3_000_000_007):
        exe = compiled(lambda x, n=trips: mlc.scan(lambda c, _: (mnp.sin(c), None), x, None, length=n)[0], V)
        texts.append(exe.llvm_ir().replace(str(trips), "N"))
    assert texts[0] == texts[1]


def test_a_scan_of_run_time_length() -> None:
    def fn(xs: Any) -> Any:
        return mlc.scan(lambda c, x: (c + x, c * 2), mnp.zeros(3), xs)

    exe = compiled(fn, mlc.spec(("n", 3), "float32"))
    for n in (0, 1, 2, 65):
        xs = np.arange(3 * n, dtype=F).reshape(n, 3)
        c, ys = exe(xs)
        assert_matches(EXACT, c, xs.sum(0))
        assert ys.shape == (n, 3)
        assert_matches(EXACT, ys, 2 * (np.cumsum(xs, 0) - xs))


def test_sizes_inside_of_regions() -> None:
    """The body makes values of a size that none of its own arguments has."""

    def fn(xs: Any, w: Any) -> Any:
        def step(c: Any, x: Any) -> Any:
            return c + x * mnp.mean(mnp.ones(w.shape)), mnp.ones(xs.shape) * x

        return mlc.scan(step, 0.0, xs)

    exe = compiled(fn, mlc.spec(("n",), "float32"), mlc.spec(("m", 2), "float32"))
    xs, w = np.arange(5, dtype=F), np.ones((3, 2), F)
    c, ys = exe(xs, w)
    assert_matches(NEAR, c, xs.sum())
    assert_matches(NEAR, ys, np.outer(xs, np.ones(5, F)))


def test_sizes_that_leave_nothing_are_refused() -> None:
    """Inside of regions too; a loop of negative length without stacked results has no trips."""
    exe = compiled(lambda xs: mlc.map(mnp.argmax, xs), mlc.spec(("n", "m"), "float32"))
    assert_matches(EXACT, exe(np.eye(3, dtype=F)), np.arange(3))
    with pytest.raises(CompileError, match=r"nd.argmax over m elements: expected at least 1, found 0 at n = 2, m = 0"):
        exe(np.zeros((2, 0), F))

    def steps(x: Any) -> Any:
        return mlc.scan(lambda c, _: (c + 1, c), 0.0, None, length=x.shape[0] - 3)

    exe = compiled(steps, mlc.spec(("n",), "float32"))
    assert_matches(EXACT, exe(np.zeros(5, F))[1], np.arange(2, dtype=F))
    with pytest.raises(CompileError, match=r"length of nd\.scan: expected at least 0, found -1 at n = 2"):
        exe(np.zeros(2, F))
    exe = compiled(lambda x: mlc.fori_loop(3, x.shape[0], lambda i, c: c + i, 0), mlc.spec(("n",), "float32"))
    assert exe(np.zeros(5, F)) == 7 and exe(np.zeros(2, F)) == 0


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16", "int8", "uint16", "uint64", "bool"])
def test_element_types(dtype: str) -> None:
    """Places are in bytes: what swaps, steps and is copied has the width of its elements."""
    x = np.arange(12).reshape(4, 3).astype(mnp.bfloat16 if dtype == "bfloat16" else dtype)

    def fn(x: Any) -> Any:
        def step(c: Any, row: Any) -> Any:
            return (c[1], mnp.flip(c[0], 0)), mnp.where(row > row[0], row, c[0])

        return mlc.scan(step, (x[0], x[1]), x)

    def reference() -> Any:
        a, b, rows = x[0], x[1], []
        for row in x:
            rows.append(np.where(row > row[0], row, a))
            a, b = b, a[::-1]
        return a, b, np.stack(rows)

    for g, w in zip(results(compiled(lambda x: mlc_flat(fn(x)), x)(x)), reference(), strict=True):
        assert g.dtype == w.dtype
        assert_matches(EXACT, g, w)


def mlc_flat(out: Any) -> Any:
    (a, b), rows = out
    return a, b, rows


def test_a_donated_argument_is_updated_in_place() -> None:
    def fn(w: Any, xs: Any) -> Any:
        return mlc.scan(lambda w, x: (w - x * 0.5, None), w, xs)[0]

    w, xs = np.zeros(64, F), np.ones((10, 64), F)
    exe = compiled(fn, w, xs, donate=(0,))
    out = exe(w, xs)
    assert out is w
    assert_matches(EXACT, w, np.full(64, -5, F))
    assert "graph.copy" not in exe.mlir("graph") and exe.report()["arena_bytes"] == 0


def test_in_place_needs_one_buffer_and_products_two() -> None:
    def elementwise(x: Any) -> Any:
        return mlc.scan(lambda c, _: (mnp.sin(c), None), x, None, length=5)[0]

    def products(x: Any) -> Any:
        return mlc.scan(lambda c, _: (c @ c, None), x, None, length=5)[0] * 2

    x = np.eye(16, dtype=F) / 2
    assert compiled(elementwise, x).report()["arena_bytes"] == 0
    exe = compiled(products, x)
    assert exe.report()["arena_bytes"] == 2 * x.nbytes
    same(exe(x), np.linalg.matrix_power(x, 32) * 2)


@pytest.mark.parametrize("name", ["rnn", "scan_in_while_in_if_taken", "swapped_carries_odd"])
def test_equal_programs_give_equal_code(name: str) -> None:
    case = CASES[name]
    first, second = (compiled(case.fn, *case.args) for _ in range(2))
    assert first.llvm_ir() == second.llvm_ir()
    assert all(first.mlir(level) == second.mlir(level) for level in ("graph", "loop", "vector"))
    assert first.assembly() and first.report()["kernels"]


@pytest.mark.parametrize(
    "name, level", [("branch_true", jit.QUICK), ("rnn", jit.OPTIMISATION), ("newton", jit.OPTIMISATION)]
)
def test_code_of_an_entry_is_generated_quickly_unless_it_loops(name: str, level: int) -> None:
    case = CASES[name]
    module = trace(case.fn, case.args, "main").module
    code, _ = lower(module, "", CompileOptions())
    *kernels, (entry, found) = modules(code)
    assert entry == code.entry and found == level
    assert all(level == jit.OPTIMISATION for _, level in kernels)


SWAP = """func.func @main(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %a, %b = nd.scan 3 carry (%c = %x, %d = %y) -> (tensor<4xf32>, tensor<4xf32>) {
    %e = nd.add %c, %d : tensor<4xf32>
    nd.yield %d, %e : tensor<4xf32>, tensor<4xf32>
  }
  func.return %a, %b : tensor<4xf32>, tensor<4xf32>
}"""
OUTLIVES = """func.func @main(%x: tensor<4x4xf32>, %y: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = nd.contract %x, %y "a b, b c -> a c" : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %r = nd.scan 3 (%w = %0) carry (%c = %x) -> (tensor<4x4xf32>) {
    %1 = nd.contract %w, %c "a b, b c -> a c" : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %2 = nd.contract %1, %1 "a b, b c -> a c" : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %3 = nd.contract %2, %1 "a b, b c -> a c" : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    nd.yield %3 : tensor<4x4xf32>
  }
  func.return %r : tensor<4x4xf32>
}"""


LATER = """func.func @main(%x: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<3x4x4xf32>) {
  %r, %s = nd.scan 3 carry (%c = %x) -> (tensor<4x4xf32>, tensor<3x4x4xf32>) {
    %0 = nd.contract %c, %c "a b, b c -> a c" : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %1 = nd.contract %0, %c "a b, b c -> a c" : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %2 = nd.scan 2 carry (%d = %0) -> (tensor<4x4xf32>) {
      %3 = nd.exp %d : tensor<4x4xf32>
      nd.yield %3 : tensor<4x4xf32>
    }
    nd.yield %2, %1 : tensor<4x4xf32>, tensor<4x4xf32>
  }
  func.return %r, %s : tensor<4x4xf32>, tensor<3x4x4xf32>
}"""
FAULTS = {"one place": SWAP, "no lifetime beyond a trip": OUTLIVES, "a place that is not free": LATER, "none": ""}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("text", [SWAP, OUTLIVES, LATER], ids=["swap", "outlives", "later"])
def test_a_wrong_plan_shows_in_the_interpreter(text: str, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if fault == "one place":
        monkeypatch.setattr(plan_buffers.Regions, "single", lambda *_: True)
    elif fault == "a place that is not free":
        monkeypatch.setattr(plan_buffers.Regions, "fits", lambda *_: True)
    elif fault != "none":

        def last(self: Lifetimes, value: Any, default: int) -> int:
            return max((self.at[use.op] for use in self.uses.get(value, ())), default=default)

        monkeypatch.setattr(Lifetimes, "last", last)
    module = parse_module(text, "text")
    rng = np.random.default_rng(3)
    args = [rng.standard_normal(a.type.get_shape()).astype(F) / 2 for a in next(iter(module.ops)).body.block.args]
    want = Interpreter(module).call("main", *args)
    run(module, passes_of("graph"))
    got = Interpreter(module).call("main", *args)
    right = all(np.array_equal(g, w) for g, w in zip(got, want, strict=True))
    assert right == (FAULTS[fault] != text)
