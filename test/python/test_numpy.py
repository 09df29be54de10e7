"""`mlc.numpy` against NumPy, compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.runtime.matching import Tolerance, assert_matches

RNG = np.random.default_rng(11)
CLOSE = Tolerance(ulp=64, sums=64, scale=1)
X, Y, P = RNG.standard_normal((3, 4)), RNG.standard_normal((4, 2)), RNG.uniform(0.5, 2, (3, 4))
INTS = RNG.integers(-5, 9, (3, 4))

SAME: dict[str, tuple[Callable[[Any, Any], Any], tuple[Any, ...]]] = {
    "arithmetic": (lambda np, x: np.divide(np.subtract(x, 2), np.add(np.multiply(x, x), 1)), (X,)),
    "floor_divide": (lambda np, x: np.floor_divide(x, 3) + np.remainder(x, 3), (INTS,)),
    "power": (lambda np, x: np.power(x, 2.5), (P,)),
    "unary": (lambda np, x: np.sqrt(np.abs(x)) + np.sign(x) * np.floor(x) - np.tanh(np.negative(x)), (X,)),
    "log": (lambda np, x: np.log(x) + np.exp(x) + np.sin(x) + np.cos(x), (P,)),
    "compare": (lambda np, x: np.where(np.logical_and(x > 0, np.logical_not(x > 1)), x, np.maximum(x, -0.5)), (X,)),
    "clip": (lambda np, x: np.clip(x, -0.5, 0.5), (X,)),
    "matmul": (lambda np, x, y: np.matmul(x, y) + np.einsum("ij,jk->ik", x, y), (X, Y)),
    "tensordot": (lambda np, x, y: np.tensordot(x, y, axes=1) + np.dot(x, y), (X, Y)),
    "outer": (lambda np, x, y: np.outer(x[0], y[:, 0]), (X, Y)),
    "reductions": (lambda np, x: np.sum(x, axis=0) + np.mean(x, axis=0) - np.var(x, axis=0) * np.std(x), (X,)),
    "prod": (lambda np, x: np.prod(x, axis=1, keepdims=True) + np.max(x) - np.min(x, axis=1, keepdims=True), (X,)),
    "arg": (lambda np, x: np.argmax(x, axis=1) - np.argmin(x), (X,)),
    "any": (lambda np, x: np.any(x > 1, axis=0) ^ np.all(x > -1, axis=0), (X,)),
    "shape": (lambda np, x: np.reshape(np.transpose(x), (2, 6)) + np.swapaxes(x, 0, 1).reshape(2, 6), (X,)),
    "moveaxis": (lambda np, x: np.squeeze(np.moveaxis(np.expand_dims(x, 0), 0, 2)), (X,)),
    "joins": (lambda np, x: np.concatenate([x, np.flip(x, 1)], axis=1)[:, ::3] + np.stack([x, x])[1, :, :3], (X,)),
    "pad": (lambda np, x: np.pad(x, ((1, 2), (0, 1))), (X,)),
    "broadcast": (lambda np, x: np.broadcast_to(x[0], (3, 4)) + x[:, None, 1], (X,)),
    "triangles": (lambda np, x: np.tril(x) - np.triu(x, 1), (X,)),
    "creation": (lambda np, x: np.arange(4) * 2.0 + np.zeros_like(x) + np.ones(4, np.float64) + np.eye(3, 4), (X,)),
    "full": (lambda np, x: np.full((3, 4), 2.0, np.float64) * x + np.linspace(0, 1, 4, dtype=np.float64), (X,)),
    "integers": (lambda np, x: x * 3 - x // 2, (INTS,)),
}


@pytest.mark.parametrize("name", SAME)
def test_same_as_numpy(name: str) -> None:
    fn, args = SAME[name]
    got = mlc.jit(lambda *xs: fn(mnp, *xs))(*args)
    want = np.asarray(fn(np, *args))
    assert got.dtype == want.dtype
    assert_matches(CLOSE, got, want)


TYPES = ("bool", "int32", "int64", "float32", "float64")
WIDER = {
    ("int32", "float32"): "float32",
    ("int64", "float32"): "float32",
    ("int32", "float64"): "float64",
    ("int64", "float64"): "float64",
}
"""Mixed kinds: the float wins. The Array API leaves them undefined."""


@pytest.mark.parametrize("a", TYPES)
@pytest.mark.parametrize("b", TYPES)
def test_promotion(a: str, b: str) -> None:
    x, y = np.ones(3, a), np.ones(3, b)
    want = WIDER.get((a, b)) or WIDER.get((b, a)) or np.result_type(np.dtype(a), np.dtype(b)).name
    if {a, b} == {"bool"}:
        assert mlc.jit(mnp.logical_and)(x, y).dtype == bool
        return
    assert mlc.jit(lambda x, y: x * y)(x, y).dtype == want


@pytest.mark.parametrize("dtype", TYPES[1:])
def test_python_numbers_are_weak(dtype: str) -> None:
    x = np.ones(3, dtype)
    assert mlc.jit(lambda x: x + 2)(x).dtype == dtype
    assert mlc.jit(lambda x: x * 0.5)(x).dtype == (dtype if dtype.startswith("float") else "float32")
