"""vmap against a Python loop, alone and with gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlc
import mlc.nn as nn
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.runtime.matching import Tolerance, assert_matches

RNG = np.random.default_rng(5)
CLOSE = Tolerance(ulp=64, sums=64, scale=1)
X, W = RNG.standard_normal((4, 2, 3)), RNG.standard_normal((3, 2))

FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "matmul": lambda x, w: x @ w,
    "softmax": lambda x, w: nn.softmax(x @ w),
    "shared only": lambda x, w: w * 2,
    "movement": lambda x, w: mnp.concatenate([x.T, w], axis=1)[1:, ::-1],
    "reduce": lambda x, w: mnp.max(x, axis=1) - mnp.sum(w),
    "argmax": lambda x, w: mnp.argmax(x, axis=1),
    "pad": lambda x, w: mnp.pad(x, ((1, 0), (0, 2)), 3.0),
    "loss": lambda x, w: nn.cross_entropy(x, mnp.argmax(x, axis=1)).mean() + w[0, 0],
    "several": lambda x, w: (x + 1, {"w": x @ w}),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_vmap_is_a_loop(name: str) -> None:
    f = FUNCTIONS[name]
    got = mlc.jit(mlc.vmap(f, in_axes=(0, None)))(X, W)
    one = mlc.jit(f)
    rows = [one(x, W) for x in X]
    for part in (lambda r: r[0], lambda r: r[1]["w"]) if name == "several" else (lambda r: r,):
        assert_matches(CLOSE, part(got), np.stack([part(r) for r in rows]))


def loss(w: Any, x: Any) -> Any:
    return (mnp.tanh(x @ w) ** 2).sum()


def test_vmap_of_grad_and_grad_of_vmap() -> None:
    per_example = mlc.jit(mlc.vmap(mlc.grad(loss), in_axes=(None, 0)))(W, X)
    one = mlc.jit(mlc.grad(loss))
    assert_matches(CLOSE, per_example, np.stack([one(W, x) for x in X]))
    total = mlc.jit(mlc.grad(lambda w, x: mlc.vmap(loss, in_axes=(None, 0))(w, x).sum()))(W, X)
    assert_matches(CLOSE, total, np.sum(per_example, axis=0))


def test_axes_of_arguments_and_results() -> None:
    f = mlc.vmap(lambda x, p: x * p["s"], in_axes=(2, {"s": 0}), out_axes=1)
    s = RNG.standard_normal(3)
    assert_matches(CLOSE, mlc.jit(f)(X, {"s": s}), np.moveaxis(X * s, 2, 1))


def test_results_without_the_axis() -> None:
    f = mlc.jit(mlc.vmap(lambda x, w: (x @ w, w * 2), in_axes=(0, None), out_axes=(-1, None)))
    product, double = f(X, W)
    assert_matches(CLOSE, product, np.moveaxis(X @ W, 0, -1))
    assert_matches(CLOSE, double, W * 2)
    assert f(X[:0], W)[1].shape == W.shape


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mlc.vmap(lambda x, y: x, in_axes=(0, 0))(X, W), "one size of the mapped axes, found 4 and 3"),
        (lambda: mlc.vmap(lambda x: x, in_axes=None)(X), "an argument with an axis"),
        (lambda: mlc.vmap(lambda x: x, in_axes=7)(X), "expected an axis of tensor<4x2x3xf64>, found 7"),
        (lambda: mlc.vmap(lambda x: x, out_axes=None)(X), "a result that varies, found None"),
        (lambda: mlc.vmap(lambda x: x, out_axes=4)(X), "expected an axis from -3 to 2, found 4"),
        (lambda: mlc.vmap(lambda x: x, in_axes=(0, 0))(X), "in_axes for 1 arguments, found 2"),
    ],
)
def test_wrong_axes(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(mlc.CompileError, match=message):
        call()
