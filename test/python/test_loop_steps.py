"""The steps keep names, places and meaning: run-time extents on every axis, in-place functions, automatic copies."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from mlc.compiler.machine import Machine
from mlc.compiler.parsing import parse_module
from mlc.compiler.transforms.loop.apply_schedule import run_schedule
from mlc.compiler.transforms.loop.choose_schedule import schedule
from mlc.compiler.verify import verify
from mlc.dialects.errors import CompileError, position
from mlc.dialects.loop.ops import ForOp, StageOp
from mlc.dialects.nd.op import EXACT, Tolerance
from mlc.runtime.interpret_loop import call
from mlc.runtime.matching import assert_matches
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, UnknownLoc

Array = np.ndarray[Any, Any]

CLOSE = Tolerance(ulp=32, sums=128, scale=4)

SIZES = (0, 1, 5, 6, 7, 64, 1000)

MATMUL = """func.func @matmul(%A: tensor<?x?xf32, #nd.sym<M, K>>, %B: tensor<?x?xf32, #nd.sym<K, N>>)
    -> tensor<?x?xf32, #nd.sym<M, N>> {
  loop.size M = %A, 0
  loop.size K = %A, 1
  loop.size N = %B, 1
  %acc = loop.stage mm [i: M, j: N, k: K] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b : f32
    loop.yield %p : f32
  }
  %C = loop.stage relu [i: M, j: N] (%s = %acc[i, j]) -> [i, j] {
    %z = arith.constant 0.0 : f32
    %r = arith.maximumf %s, %z : f32
    loop.yield %r : f32
  }
  func.return %C : tensor<?x?xf32, #nd.sym<M, N>>
}"""

SOFTMAX = """func.func @softmax(%X: tensor<?x?xf32, #nd.sym<M, N>>) -> tensor<?x?xf32, #nd.sym<M, N>> {
  loop.size M = %X, 0
  loop.size N = %X, 1
  %m = loop.stage max [i: M, j: N] (%x = %X[i, j]) -> max [i] { loop.yield %x : f32 }
  %e, %s = loop.stage exp [i: M, j: N] (%x = %X[i, j], %t = %m[i]) -> [i, j], add [i] {
    %d = arith.subf %x, %t : f32
    %p = math.exp %d : f32
    loop.yield %p, %p : f32, f32
  }
  %Y = loop.stage scale [i: M, j: N] (%a = %e[i, j], %b = %s[i]) -> [i, j] {
    %p = arith.divf %a, %b : f32
    loop.yield %p : f32
  }
  func.return %Y : tensor<?x?xf32, #nd.sym<M, N>>
}"""


def function_of(module: ModuleOp) -> func.FuncOp:
    return next(op for op in module.walk() if isinstance(op, func.FuncOp))


def scheduled(text: str, steps: str | None = None) -> ModuleOp:
    module = parse_module(text, "kernel.mlir")
    f = function_of(module)
    run_schedule(f, schedule(f, Machine(vector_bytes=64, registers=32, has_fma=True)) if steps is None else steps)
    verify(module)
    return module


def run(module: ModuleOp, *arrays: Array) -> list[Array]:
    return call(function_of(module), *arrays)


def normal(*dims: int) -> Array:
    return np.random.default_rng(len(dims)).standard_normal(dims).astype("f4")


@pytest.mark.parametrize(
    "steps",
    [
        None,
        "loop-tile{axis=i size=6},loop-tile{axis=j size=64},loop-vectorize{axes=i,j}",
        "loop-tile{axis=k size=6},loop-tile{axis=i size=6 clamp=false}",
        "loop-split{axis=j size=6},loop-split{axis=k size=5},loop-tile{axis=i size=6}",
        "loop-nest{axis=i},loop-tile{axis=j size=6},loop-pack{value=B axes=k,j}",
        "loop-version{axis=i least=6},loop-pad{axis=i size=5 only=mm_below6,relu_below6},"
        "loop-tile{axis=i size=6 only=mm,relu},loop-tile{axis=j size=64 only=mm_below6,relu_below6}",
        "loop-version{axis=j least=7},loop-version{axis=i least=2 only=mm,relu},loop-tile{axis=j size=7 only=mm,relu}",
    ],
)
def test_matmul_of_run_time_sizes(steps: str | None) -> None:
    module = scheduled(MATMUL, steps)
    for m, n, k in [
        *((s, 7, 5) for s in SIZES),
        *((7, s, 6) for s in SIZES),
        *((6, 5, s) for s in SIZES),
        (64, 65, 66),
    ]:
        a, b = normal(m, k), normal(k, n)
        (got,) = run(module, a, b)
        assert_matches(CLOSE, got, np.maximum(a.astype("f8") @ b, 0).astype("f4"))


@pytest.mark.parametrize("steps", [None, "loop-tile{axis=i size=6},loop-split{axis=j size=6},loop-vectorize{axes=j}"])
def test_softmax_of_run_time_sizes(steps: str | None) -> None:
    module = scheduled(SOFTMAX, steps)
    for m, n in product(SIZES[:-1], SIZES[1:]):
        x = normal(m, n)
        e = np.exp(x - x.max(1, keepdims=True))
        assert_matches(CLOSE, run(module, x)[0], e / e.sum(1, keepdims=True))


def test_every_op_keeps_a_place_and_every_value_a_name() -> None:
    module = scheduled(MATMUL, "loop-tile{axis=i size=6},loop-tile{axis=k size=4},loop-pack{value=B axes=k,j}")
    for op in module.walk():
        if op is not module:
            assert not isinstance(op.location, UnknownLoc), op.name
            assert position(op.location) is not None
        if isinstance(op, StageOp | ForOp):
            assert all(r.name_hint for r in op.results), op.name


@pytest.mark.parametrize("size", [3, 4, 7, 64])
def test_functions_that_work_in_place_get_no_overlapping_tiles(size: int) -> None:
    text = """func.func @update(%p: tensor<10x9xf32> {mlc.inplace = 0 : i64}, %g: tensor<10x9xf32>)
        -> tensor<10x9xf32> {
      %q = loop.stage sgd [i: 10, j: 9] (%a = %p[i, j], %b = %g[i, j]) -> [i, j] {
        %d = arith.subf %a, %b : f32
        loop.yield %d : f32
      }
      func.return %q : tensor<10x9xf32>
    }"""
    for steps in (f"loop-tile{{axis=i size={size}}},loop-tile{{axis=j size={size}}}", None):
        module = scheduled(text, steps)
        assert not any(isinstance(op, ForOp) and op.clamped for op in module.walk())
        p, g = normal(10, 9), normal(10, 9) + 1
        assert_matches(EXACT, run(module, p, g)[0], p - g)


def test_values_with_two_destinations_are_copied() -> None:
    text = """func.func @f(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<6xf32>) {
      %y = loop.stage neg [i: 3] (%a = %x[i]) -> [i] {
        %n = arith.negf %a : f32
        loop.yield %n : f32
      }
      %j = loop.join (%y at [0], %x at [3]) : tensor<6xf32>
      func.return %x, %y, %y, %j : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<6xf32>
    }"""
    module = scheduled(text, "loop-copies")
    last = function_of(module).body.block.last_op
    assert last is not None and len(set(last.operands)) == 4
    assert all(isinstance(v.owner, StageOp) for v in last.operands[:3])
    x = normal(3)
    for got, want in zip(run(module, x), (x, -x, -x, np.concatenate([-x, x]))):
        assert_matches(EXACT, got, want)


def test_reorder_without_options_goes_by_strides() -> None:
    text = """func.func @f(%x: tensor<64x32xf32>{layout}) -> tensor<f32> {{
      %s = loop.stage sum [j: 32, i: 64] (%a = %x[i, j]) -> add [] {{ loop.yield %a : f32 }}
      func.return %s : tensor<f32>
    }}"""
    for layout, order in (("", "ij"), (" {mlc.layout = strided<[1, 64]>}", "ji")):
        module = scheduled(text.format(layout=layout), "loop-reorder")
        assert "".join(a.name for s in module.walk() if isinstance(s, StageOp) for a in s.axes) == order


def test_a_schedule_names_only_steps_of_the_loop_level() -> None:
    with pytest.raises(CompileError, match="expected steps of the loop level, found cse"):
        scheduled(SOFTMAX, "cse")


def test_the_same_schedule_is_chosen_again() -> None:
    first, second = (scheduled(MATMUL) for _ in range(2))
    assert str(first) == str(second)
