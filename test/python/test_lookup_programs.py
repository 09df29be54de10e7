"""Lookups in compiled programs: derivatives, batches, donated arguments, kernels that they share with others."""

from __future__ import annotations

from itertools import product
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from graph_cases import apply, kernels, program
from mlc.dialects.errors import CompileError
from mlc.dialects.graph.ops import INPLACE
from mlc.dialects.nd import functions as F
from mlc.dialects.nd.op import EXACT, Tolerance
from mlc.dialects.nd.types import tensor
from mlc.runtime.matching import assert_matches
from test_plan import plan
from xdsl.dialects.builtin import ModuleOp, f32, i64

NEAR = Tolerance(ulp=16, sums=16)
SLOPE = Tolerance(sums=1, scale=1, eps=1e-6)
"""Of differences of f64."""

RNG = np.random.default_rng(3)
X = RNG.standard_normal((7, 40)).astype(np.float32)
ROWS = np.array([3, -1, 0, 3, 99, -99, 3])
U = RNG.standard_normal((7, 40)).astype(np.float32)


def gradient(f: Any, *args: Any, argnums: Any = 0) -> Any:
    return mlc.jit(mlc.grad(lambda *a: (f(*a) * WEIGHTS[: f(*a).shape[0]]).sum(), argnums))(*args)


WEIGHTS = RNG.standard_normal((7, 40)).astype(np.float32)


def test_gradient_of_reading_adds_up() -> None:
    got = gradient(lambda x: x[mnp.array(ROWS)], X)
    want = np.zeros_like(X)
    np.add.at(want, np.clip(np.where(ROWS < 0, ROWS + 7, ROWS), 0, 6), WEIGHTS)
    assert_matches(NEAR, got, want)


def test_gradient_of_what_is_outside_is_zero() -> None:
    got = gradient(lambda x: mnp.take(x, mnp.array(ROWS) + 0, 0, "fill"), X)
    inside = (ROWS >= -7) & (ROWS < 7)
    want = np.zeros_like(X)
    np.add.at(want, ROWS[inside], WEIGHTS[inside])
    assert_matches(NEAR, got, want)


def test_gradient_of_setting_goes_to_the_last() -> None:
    i = np.array([3, 1, 0, 3, 9, 1, 3])
    dx, du = gradient(lambda x, u, i: x.at[i].set(u), X, U, i, argnums=(0, 1))
    want = WEIGHTS.copy()
    want[[0, 1, 3]] = 0
    assert_matches(EXACT, dx, want)
    want = np.zeros_like(U)
    for k, row in ((2, 0), (5, 1), (6, 3)):
        want[k] = WEIGHTS[row]
    assert_matches(EXACT, du, want)


@pytest.mark.parametrize("kind", ["multiply", "max", "min"])
def test_gradients_of_combining(kind: str) -> None:
    """Against differences, with zeros and several updates of one place."""
    i = np.array([2, 1, 2, 9, 1, 2])
    x, u = RNG.standard_normal(4), RNG.standard_normal(6)
    if kind == "multiply":
        u[[0, 1, 4]] = 0
    f = lambda x, u, i: mnp.sin(getattr(x.at[i], kind)(u)).sum()
    dx, du = mlc.jit(mlc.grad(f, (0, 1)))(x, u, i)
    at = mlc.jit(f)
    for got, args in ((dx, lambda e: (x + e, u, i)), (du, lambda e: (x, u + e, i))):
        for k in range(got.size):
            step = np.eye(got.size)[k] * 1e-6
            want = (np.asarray(at(*args(step))) - np.asarray(at(*args(-step)))) / 2e-6
            assert_matches(SLOPE, got[k], want)


BATCHES = [flags for flags in product([0, None], repeat=3) if any(f == 0 for f in flags)]


@pytest.mark.parametrize("flags", BATCHES, ids=str)
@pytest.mark.parametrize("kind", ["add", "set", "max"])
def test_batches_of_updates(flags: tuple[Any, ...], kind: str) -> None:
    args = [RNG.standard_normal((3, 5, 4)), RNG.integers(-7, 7, (3, 6)), RNG.standard_normal((3, 6, 4))]
    args = [a if f == 0 else a[0] for a, f in zip(args, flags, strict=True)]
    f = lambda x, i, u: getattr(x.at[i], kind)(u)
    got = mlc.jit(mlc.vmap(f, flags))(*args)
    one = mlc.jit(f)
    for k in range(3):
        want = one(*(a[k] if g == 0 else a for a, g in zip(args, flags, strict=True)))
        assert_matches(NEAR, got[k], want)


@pytest.mark.parametrize("flags", BATCHES, ids=str)
def test_batches_of_reads_and_slices(flags: tuple[Any, ...]) -> None:
    args = [RNG.standard_normal((3, 5, 4)), RNG.integers(-7, 7, (3, 6)), RNG.integers(-2, 5, 3)]
    args = [a if f == 0 else a[0] for a, f in zip(args, flags, strict=True)]

    def f(x: Any, i: Any, s: Any) -> Any:
        return x[i], mnp.dynamic_slice(x, [s, 1], (2, 3)), mnp.dynamic_update_slice(x, x[:2, :3] * 2, [1, s])

    got = mlc.jit(mlc.vmap(f, flags))(*args)
    one = mlc.jit(f)
    for k in range(3):
        want = one(*(a[k] if g == 0 else a for a, g in zip(args, flags, strict=True)))
        for g, w in zip(got, want, strict=True):
            assert_matches(EXACT, np.asarray(g)[k], np.asarray(w))


# Kernels and memory.


def fused(types: list[Any], build: Any) -> ModuleOp:
    module = program(types, build)
    apply(module, "graph-fuse")
    return module


def test_positions_and_updates_are_part_of_the_kernel() -> None:
    x, i = tensor((50, 40), f32), tensor((9,), i64)
    read = fused([x, i], lambda x, i: F.exp(F.take(x, i * 2 + 1, 0)))
    assert len(kernels(read)) == 1
    write = fused([x, i], lambda x, i: x.at[i + 1].add(F.exp(x[:9])))
    assert len(kernels(write)) == 1
    made_first = fused([x, i], lambda x, i: F.take(F.exp(x), i, 0))
    assert len(kernels(made_first)) == 2


def test_updates_are_in_place_where_the_argument_dies() -> None:
    x, i, u = tensor((64, 40), f32), tensor((9,), i64), tensor((9, 40), f32)
    module = plan([x, i, u], lambda x, i, u: x.at[i].add(u), 0)
    assert str(module).count(INPLACE) == 1
    kept = plan([x, i, u], lambda x, i, u: [x.at[i].add(u), F.exp(x)], 0)
    assert str(kept).count(INPLACE) <= 1


def test_nothing_overwrites_what_is_read_anywhere() -> None:
    x, i = tensor((64, 40), f32), tensor((64,), i64)
    module = plan([x, i], lambda x, i: F.exp(F.take(x, i, 0)), 0)
    assert "mlc.inplace" not in str(module)
    both = plan([x, i], lambda x, i: x.at[i].add(F.take(x, i, 0)), 0)
    assert "mlc.inplace" not in str(both)


def test_donated_argument_in_native_code() -> None:
    f = mlc.jit(lambda x, i, u: x.at[i].add(u), donate=(0,))
    x = X.copy()
    want = X.copy()
    np.add.at(want, ROWS % 7, U)
    assert_matches(NEAR, f(x, ROWS % 7, U), want)


def test_room_for_a_window() -> None:
    exe = mlc.compile(lambda x, i: x[i], mlc.spec(("n", 3)), mlc.spec(("m",), "int64"))
    assert_matches(EXACT, exe(X[:2, :3], np.array([1, 0, -1])), X[:2, :3][[1, 0, -1]])
    assert np.asarray(exe(X[:0, :3], np.zeros(0, np.int64))).shape == (0, 3)
    with pytest.raises(CompileError, match=r"nd\.gather: expected a dimension of at least 1, found 0 at"):
        exe(X[:0, :3], np.array([0]))
