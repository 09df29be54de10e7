"""Elementwise functions of `mlc.numpy` and `mlc.nn`, compiled, against NumPy: at odd values, and their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlc
import mlc.nn as nn
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.dialects.nd import functions as F
from mlc.dialects.nd.op import EXACT
from mlc.runtime.matching import Tolerance, assert_matches

RNG = np.random.default_rng(7)
NEAR = Tolerance(ulp=4)
SLOPE = Tolerance(sums=1, scale=1, eps=1e-6)
"""Of differences of f64."""
ODD = [0.0, -0.0, 0.5, -0.5, 1.5, -1.5, 2.5, 1.0, -1.0, 1e-30, -1e-30, 1e30, np.inf, -np.inf, np.nan]
FLOATS = np.concatenate([ODD, RNG.standard_normal(20) * 3])
UNARY = [
    *("floor", "ceil", "trunc", "rint", "round", "isnan", "isinf", "isfinite", "signbit", "abs", "negative"),
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "square", "reciprocal", "positive"),
    *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"),
    *("deg2rad", "rad2deg"),
]
BINARY = ["fmod", "remainder", "floor_divide", "copysign", "hypot", "arctan2", "logaddexp"]
INTEGERS = ["remainder", "fmod", "floor_divide", "bitwise_and", "bitwise_or", "bitwise_xor"]
SHIFTS = ["left_shift", "right_shift"]


def compiled(fns: list[Callable[..., Any]], *args: Any) -> Any:
    """One program for all."""
    return mlc.jit(lambda *xs: tuple(f(*xs) for f in fns))(*args)


def some(dtype: str) -> Any:
    with np.errstate(over="ignore"):
        return FLOATS.astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_unary(dtype: str) -> None:
    x = some(dtype)
    for name, got in zip(UNARY, compiled([getattr(mnp, n) for n in UNARY], x), strict=True):
        with np.errstate(all="ignore"):
            wide = getattr(np, name)(x.astype(np.float64))
            want = getattr(np, name)(x)
            want = wide.astype(want.dtype) if want.dtype.kind == "f" else want
        # what the sign of a NaN is stays open
        same = ~np.isnan(x) if name == "signbit" else slice(None)
        compare(name, got[same], want[same])


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_binary(dtype: str) -> None:
    x, y = (a.ravel() for a in np.meshgrid(some(dtype), some(dtype)))
    for name, got in zip(BINARY, compiled([getattr(mnp, n) for n in BINARY], x, y), strict=True):
        with np.errstate(all="ignore"):
            exact = name in ("fmod", "remainder", "floor_divide")
            want = getattr(np, name)(*((x, y) if exact else (x.astype(np.float64), y.astype(np.float64))))
        if name == "logaddexp":  # near 0 it cancels
            assert_matches(Tolerance(ulp=4, sums=8, scale=1, eps=np.finfo(dtype).eps), *finite(got, want.astype(dtype)))
            continue
        compare(name, got, want.astype(dtype))


def finite(got: Any, want: Any) -> tuple[Any, Any]:
    usual = np.isfinite(want)
    assert_matches(EXACT, got[~usual], want[~usual])
    return got[usual], want[usual]


def compare(name: str, got: Any, want: Any) -> None:
    assert got.dtype == want.dtype, name
    if want.dtype.kind != "f":
        assert_matches(EXACT, got, want)
        return
    got_usual, want_usual = finite(got, want)
    error = np.abs(got_usual.astype(np.float64) - want_usual) / np.spacing(np.abs(want_usual)).astype(np.float64)
    assert error.max(initial=0) <= 4, name
    zero = want == 0
    assert_matches(EXACT, np.signbit(got[zero]), np.signbit(want[zero]))


@pytest.mark.parametrize("dtype", [f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)])
def test_integers(dtype: str) -> None:
    info = np.iinfo(dtype)
    near = [-7, -2, -1] if info.min else [info.max - 1, 100]
    some = np.array([*([info.min, info.min + 1] if info.min else []), *near, 1, 2, 3, 7, info.max], dtype)
    x, y = (a.ravel() for a in np.meshgrid(some, some))
    for name, got in zip(INTEGERS, compiled([getattr(mnp, n) for n in INTEGERS], x, y), strict=True):
        with np.errstate(all="ignore"):
            assert_matches(EXACT, got, getattr(np, name)(x, y))
    amounts = np.resize(np.arange(info.bits).astype(dtype), x.size)
    for name, got in zip(SHIFTS, compiled([getattr(mnp, n) for n in SHIFTS], x, amounts), strict=True):
        assert_matches(EXACT, got, getattr(np, name)(x, amounts))
    invert, count = compiled([mnp.bitwise_invert, mnp.bitwise_count], x)
    assert_matches(EXACT, invert, ~x)
    assert_matches(EXACT, count, np.bitwise_count(x.view(f"u{x.itemsize}")).astype(dtype))
    leading = mlc.jit(F.count_leading_zeros)(x)
    assert [int(n) for n in leading] == [info.bits - int(v).bit_length() for v in x.view(f"u{x.itemsize}")]


def test_division_of_integers_by_zero() -> None:
    """The quotient is 0 and the remainder the dividend: x = q y + r."""
    x, zero = np.array([5, -5, 0, np.iinfo(np.int32).min], np.int32), np.zeros(4, np.int32)
    quotient, down, rest, other = compiled([mlc.numpy.floor_divide, F.quotient, mnp.remainder, mnp.fmod], x, zero)
    assert not quotient.any() and not down.any()
    assert_matches(EXACT, rest, x)
    assert_matches(EXACT, other, x)


def test_shifts_out_of_the_width() -> None:
    x = np.array([1, -1, 7, -8], np.int32)
    for amount in (32, 33, -1, np.iinfo(np.int32).max, np.iinfo(np.int32).min):
        left, right = compiled([mnp.left_shift, mnp.right_shift], x, np.full(4, amount, np.int32))
        assert_matches(EXACT, left, np.zeros(4, np.int32))
        assert_matches(EXACT, right, np.array([0, -1, 0, -1], np.int32))


def test_operators() -> None:
    x, y = np.array([1, 2, 12], np.int64), np.array([3, 2, 5], np.int64)
    got = mlc.jit(lambda a, b: (a << b, a >> 1, 1 << a, a & b, a | 1, a ^ b, ~a, *divmod(a, b)))(x, y)
    want = (x << y, x >> 1, 1 << x, x & y, x | 1, x ^ y, ~x, *divmod(x, y))
    for g, w in zip(got, want, strict=True):
        assert_matches(EXACT, g, w)


def test_logic_of_numbers_is_about_zero() -> None:
    x, y = np.array([0, 1, 2, 4]), np.array([3, 0, 1, 2])
    names = ("logical_and", "logical_or", "logical_xor")
    for name, got in zip(names, compiled([getattr(mnp, n) for n in names], x, y), strict=True):
        assert_matches(EXACT, got, getattr(np, name)(x, y))
    assert_matches(EXACT, mlc.jit(mnp.logical_not)(x), np.logical_not(x))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_clip(dtype: str) -> None:
    x = (FLOATS if dtype != "int32" else np.arange(-9, 9)).astype(dtype)
    low, high = np.full_like(x, -1), np.full_like(x, 2)
    got = compiled([lambda v, _, __: mnp.clip(v, -1, 2), mnp.clip, lambda v, _, b: mnp.clip(v, None, b)], x, low, high)
    for g, w in zip(got, (np.clip(x, -1, 2), np.clip(x, low, high), np.clip(x, None, high)), strict=True):
        assert_matches(EXACT, g, w)
    if dtype != "int32":
        nan = np.full_like(x, np.nan)
        assert all(np.isnan(g).all() for g in compiled([mnp.clip, lambda a, b, c: mnp.clip(b, a, c)], x, nan, high))


def test_round_to_decimals() -> None:
    x = np.array([1.25, -2.675, 1234.5, 0.5, 1.5], np.float64)
    assert_matches(NEAR, mlc.jit(lambda v: mnp.round(v, 2))(x), np.round(x, 2))
    assert_matches(EXACT, mlc.jit(lambda v: mnp.round(v, -2))(x), np.round(x, -2))
    assert_matches(EXACT, mlc.jit(mnp.round)(np.array([3, -4])), [3, -4])


# Activation functions.


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _softplus(x: Any) -> Any:
    return np.logaddexp(x, 0)


ACTIVATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "sigmoid": (nn.sigmoid, _sigmoid),
    "log_sigmoid": (nn.log_sigmoid, lambda x: -_softplus(-x)),
    "silu": (nn.silu, lambda x: x * _sigmoid(x)),
    "softplus": (nn.softplus, _softplus),
    "mish": (nn.mish, lambda x: x * np.tanh(_softplus(x))),
    "elu": (lambda x: nn.elu(x, 0.7), lambda x: np.where(x > 0, x, 0.7 * np.expm1(x))),
    "selu": (nn.selu, lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x))),
    "leaky_relu": (lambda x: nn.leaky_relu(x, 0.2), lambda x: np.where(x >= 0, x, 0.2 * x)),
    "relu6": (nn.relu6, lambda x: np.clip(x, 0, 6)),
    "hard_sigmoid": (nn.hard_sigmoid, lambda x: np.clip(x + 3, 0, 6) / 6),
    "hard_swish": (nn.hard_swish, lambda x: x * np.clip(x + 3, 0, 6) / 6),
    "glu": (nn.glu, lambda x: x[..., : x.shape[-1] // 2] * _sigmoid(x[..., x.shape[-1] // 2 :])),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activations(dtype: str) -> None:
    x = np.array([-700, -120, -89, -20, -3, -1, -1e-3, 0, 1e-3, 0.5, 2, 7, 30, 95, 120, 700], dtype)
    got = compiled([f for f, _ in ACTIVATIONS.values()], x)
    for (name, (_, reference)), g in zip(ACTIVATIONS.items(), got, strict=True):
        with np.errstate(all="ignore"):
            want = reference(x.astype(np.longdouble))
        assert g.dtype == x.dtype
        bound = 12 * np.spacing(np.abs(want).astype(dtype)).astype(np.longdouble)
        assert np.all(np.abs(g - want) <= bound), name


@pytest.mark.parametrize("name", [n for n in ACTIVATIONS if n != "glu"])
def test_gradients_of_activations(name: str) -> None:
    """Against differences; finite where the functions saturate."""
    f, reference = ACTIVATIONS[name]
    x, h = np.array([-500.0, -40, -2.2, -0.3, 0.4, 2.1, 8.3, 45, 800]), 1e-6
    with np.errstate(all="ignore"):
        want = (reference(x + h) - reference(x - h)) / (2 * h)
    got = mlc.jit(mlc.grad(lambda v: mnp.sum(f(v))))(x)
    assert_matches(SLOPE, got, want)


def test_gradients_at_edges() -> None:
    def slopes(f: Callable[..., Any], *xs: float) -> Any:
        return [float(v) for v in mlc.jit(mlc.grad(f, argnums=tuple(range(len(xs)))))(*map(np.float64, xs))]

    assert slopes(mnp.clip, 1.0, 1.0, 2.0) == [1, 0, 0]
    assert slopes(mnp.clip, 2.0, 1.0, 2.0) == [1, 0, 0]
    assert slopes(mnp.clip, 0.0, 1.0, 2.0) == [0, 1, 0]
    assert slopes(mnp.clip, 3.0, 1.0, 2.0) == [0, 0, 1]
    assert slopes(mnp.clip, 1.5, 2.0, 1.0) == [0, 0, 1]
    assert slopes(mnp.hypot, 0.0, 0.0) == [0, 0]
    assert slopes(mnp.arctan2, 0.0, 0.0) == [0, 0]
    assert_matches(NEAR, slopes(mnp.arctan2, 1e200, 1e200), [5e-201, -5e-201])
    assert slopes(mnp.remainder, -7.5, 2.0) == [1, 4]
    assert slopes(mnp.fmod, -7.5, 2.0) == [1, 3]
    assert slopes(mnp.copysign, -3.0, 2.0) == [-1, 0]
    assert slopes(mnp.logaddexp, 1.0, 1.0) == [0.5, 0.5]
    assert_matches(NEAR, slopes(mnp.arcsinh, 1e300), [1e-300])


def test_glu_needs_an_even_size() -> None:
    with pytest.raises(mlc.CompileError, match="glu: expected an even size along axis -1, found 3"):
        mlc.jit(nn.glu)(np.ones((2, 3), np.float32))
