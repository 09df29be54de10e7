"""Derivatives through the API: the lecture's numbers, both modes against each other and against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlc
import mlc.nn as nn
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.runtime.matching import Tolerance, assert_matches

RNG = np.random.default_rng(3)
CLOSE = Tolerance(ulp=64, sums=64, scale=1)
DIFFERENCES = Tolerance(sums=2e9, scale=1)
"""Central differences with step 1e-5 err by about 1e-10; eps is 2e-16, and derivatives below are of size 1."""


def lecture(x1: Any, x2: Any) -> Any:
    return mnp.log(x1) + x1 * x2 - mnp.sin(x2)


def test_the_lectures_function() -> None:
    at = np.float64(2), np.float64(5)
    y, forward = mlc.jvp(lecture, at, (np.float64(1), np.float64(0)))
    assert round(float(y), 3) == 11.652 and float(forward) == 5.5
    value, adjoints = mlc.value_and_grad(lecture, argnums=(0, 1))(*at)
    assert round(float(value), 3) == 11.652
    assert float(adjoints[0]) == 5.5 and round(float(adjoints[1]), 3) == 1.716


def test_partial_adjoints_are_summed() -> None:
    """(exp(v) + 1) exp(v) reads exp(v) twice: its adjoint has two parts."""

    def f(v: Any) -> Any:
        e = mnp.exp(v)
        return (e + 1) * e

    v = np.float64(0.3)
    want = 2 * np.exp(2 * v) + np.exp(v)
    assert_matches(CLOSE, mlc.grad(f)(v), np.float64(want))
    assert_matches(CLOSE, mlc.jvp(f, (v,), (np.float64(1),))[1], np.float64(want))


def mlp(x: Any) -> Any:
    w = np.linspace(-1, 1, 12).reshape(3, 4)
    return (nn.softmax(mnp.tanh(x @ w)) * np.arange(4.0)).sum()


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "elementwise": lambda x: (mnp.exp(x) * mnp.sin(x) + mnp.sqrt(x * x + 1) / (x * x + 2)).sum(),
    "pow": lambda x: ((x * x + 1) ** 1.5).sum(),
    "max": lambda x: mnp.max(x * 3 + mnp.cos(x), axis=1).sum(),
    "prod": lambda x: mnp.prod(x + 2, axis=0).sum(),
    "select": lambda x: mnp.where(x > 0, x * x, mnp.exp(x)).sum(),
    "movement": lambda x: (mnp.flip(x.T[1:, ::-1], 0) * np.arange(4.0).reshape(2, 2)).sum(),
    "pad": lambda x: mnp.pad(x, 1).reshape(-1)[3:17:2].sum(),
    "concat": lambda x: (mnp.concatenate([x, x * x], axis=1) @ np.arange(6.0)).sum(),
    "mlp": mlp,
    "variance": lambda x: mnp.var(x * x, axis=1).sum(),
    "gelu": lambda x: nn.gelu(x).sum(),
    "cross entropy": lambda x: nn.cross_entropy(x, np.array([2, 0])).mean(),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_reverse_is_forward_is_differences(name: str) -> None:
    f = FUNCTIONS[name]
    x, dx = RNG.standard_normal((2, 3)), RNG.standard_normal((2, 3))
    g = mlc.jit(mlc.grad(f))(x)
    along = mlc.jit(lambda x, dx: mlc.jvp(f, (x,), (dx,))[1])(x, dx)
    assert_matches(CLOSE, np.sum(g * dx), along)
    run, h = mlc.jit(f), 1e-5
    assert_matches(DIFFERENCES, along, (run(x + h * dx) - run(x - h * dx)) / (2 * h))


@pytest.mark.parametrize("name", ["elementwise", "mlp", "variance", "cross entropy"])
def test_second_order_both_ways(name: str) -> None:
    """Forward over reverse along v is the gradient of (gradient . v), and a difference of gradients."""
    f = FUNCTIONS[name]
    x, v = RNG.standard_normal((2, 3)), RNG.standard_normal((2, 3))
    over = mlc.jit(lambda x, v: mlc.jvp(mlc.grad(f), (x,), (v,))[1])(x, v)
    twice = mlc.jit(mlc.grad(lambda x, v: (mlc.grad(f)(x) * v).sum()))(x, v)
    assert_matches(CLOSE, over, twice)
    g, h = mlc.jit(mlc.grad(f)), 1e-5
    assert_matches(DIFFERENCES, over, (g(x + h * v) - g(x - h * v)) / (2 * h))


def test_inner_gradient_sees_outer_variables() -> None:
    """d/dx of d/dy (x y^2) at y = x is 2x + 2x... by the product rule of the closure: d/dx (2 x x) = 4x."""
    x = np.float64(1.5)
    got = mlc.grad(lambda x: mlc.grad(lambda y: x * y * y)(x))(x)
    assert_matches(CLOSE, got, np.float64(4 * 1.5))


def test_trees_auxiliary_results_and_argnums() -> None:
    def f(p: dict[str, Any], x: Any) -> Any:
        h = x @ p["w"] + p["b"]
        return (h * h).sum(), {"h": h}

    p = {"w": RNG.standard_normal((3, 2)), "b": np.zeros(2)}
    x = RNG.standard_normal((4, 3))
    (value, aux), gradients = mlc.jit(mlc.value_and_grad(f, has_aux=True))(p, x)
    h = x @ p["w"]
    assert_matches(CLOSE, aux["h"], h)
    assert_matches(CLOSE, gradients["w"], 2 * x.T @ h)
    assert_matches(CLOSE, value, np.sum(h * h))
    gradient, aux = mlc.grad(f, argnums=1, has_aux=True)(p, x)
    assert_matches(CLOSE, gradient, 2 * h @ p["w"].T)


def test_vjp_gives_results_and_a_function() -> None:
    x = RNG.standard_normal((2, 3))
    y, back = mlc.vjp(mnp.sin, x)
    assert_matches(CLOSE, y, np.sin(x))
    assert_matches(CLOSE, back(np.ones((2, 3)))[0], np.cos(x))


def integer(x: Any) -> Any:
    return x.sum()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mlc.grad(lambda x: x * 2)(np.ones(3)), "float scalar as result, found tensor<3xf64>"),
        (lambda: mlc.grad(integer)(np.arange(3)), "expected float arrays in argument 0, found tensor<3xi64>"),
        (lambda: mlc.grad(integer, argnums=2)(np.ones(3)), "argnums: expected an argument from 0 to 0, found 2"),
        (lambda: mlc.jvp(integer, (np.ones(3),), (np.ones(4),)), "expected tensor<3xf64>, found tensor<4xf64>"),
        (lambda: mlc.jvp(lambda x: x[0], ([np.ones(3)],), ((np.ones(3),),)), "expected the structure"),
    ],
)
def test_wrong_uses_say_what_was_expected(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(mlc.CompileError, match=message):
        call()


def test_one_gradient_module_runs_on_two_inputs() -> None:
    f = mlc.jit(mlc.grad(lambda x: (x * x).sum()))
    first, second = RNG.standard_normal(5), RNG.standard_normal(5)
    assert_matches(CLOSE, f(first), 2 * first)
    assert_matches(CLOSE, f(second), 2 * second)
    assert f.cache_info() == (1, 1, 1)
