"""Pooling, cumulative reductions, sorts: functions, gradients and errors, as native code against NumPy."""

from __future__ import annotations

import itertools
from typing import Any

import mlc
import mlc.nn as nn
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.runtime.matching import EXACT, Tolerance, assert_matches

Np = np.ndarray[Any, Any]
NEAR = Tolerance(ulp=64, sums=64, scale=1)
SLOPE = Tolerance(sums=1, scale=1, eps=1e-6)
"""Of differences of f64."""
RNG = np.random.default_rng(0)


# Pooling.


def windows(x: Np, window: Any, stride: Any, pads: Any, dilation: Any, ceil: bool) -> Any:
    """For each result [n, *spatial, c]: the places of its window inside of x, and how many the padded x has."""
    counts = []
    for n, k, s, (lo, hi), d in zip(x.shape[1:-1], window, stride, pads, dilation):
        left = n + lo + hi - (d * (k - 1) + 1)
        count = (-(-left // s) if ceil else left // s) + 1 if left >= 0 else 0
        if ceil and count and (count - 1) * s >= n + lo:
            count -= 1
        counts.append(count)
    for at in itertools.product(*map(range, counts)):
        inside: list[list[int]] = []
        held = 1
        for i, n, k, s, (lo, hi), d in zip(at, x.shape[1:-1], window, stride, pads, dilation):
            places = [i * s + j * d - lo for j in range(k)]
            inside.append([p for p in places if 0 <= p < n])
            held *= sum(-lo <= p < n + hi for p in places)
        yield at, inside, held, counts


def pooled(kind: str, x: Np, window: Any, stride: Any, pads: Any, dilation: Any, ceil: bool, padded: bool = True) -> Np:
    out: Any = None
    for at, inside, held, counts in windows(x, window, stride, pads, dilation, ceil):
        if out is None:
            out = np.zeros((x.shape[0], *counts, x.shape[-1]), x.dtype)
        part = x[np.ix_(range(len(x)), *inside, range(x.shape[-1]))]
        axes = tuple(range(1, x.ndim - 1))
        if kind == "avg":
            value = part.sum(axes) / (held if padded else max(int(np.prod([len(i) for i in inside])), 1))
        else:
            value = getattr(part, kind)(axes, initial=-np.inf if kind == "max" else np.inf)
        out[(slice(None), *at)] = value
    assert out is not None
    return out


POOLS = {
    # spatial sizes, window, stride, padding, dilation, ceil_mode
    "plain": ((6,), (2,), (2,), [(0, 0)], (1,), False),
    "overlapping": ((9,), (3,), (2,), [(1, 1)], (1,), False),
    "ceil": ((8,), (3,), (2,), [(0, 0)], (1,), True),
    "ceil and padding": ((6,), (3,), (2,), [(1, 1)], (1,), True),
    "ceil beyond": ((4,), (2,), (3,), [(1, 1)], (1,), True),
    "dilation": ((9,), (3,), (1,), [(2, 1)], (2,), False),
    "two": ((5, 6), (2, 3), (2, 1), [(1, 0), (1, 2)], (1, 2), True),
    "rest": ((7,), (2,), (4,), [(0, 0)], (1,), False),
}


@pytest.mark.parametrize("name", POOLS)
def test_pools_and_their_gradients(name: str) -> None:
    spatial, window, stride, pads, dilation, ceil = POOLS[name]
    x = np.random.default_rng(len(name)).standard_normal((2, *spatial, 3))
    results = {
        "max": (lambda v: nn.max_pool(v, window, stride, pads, dilation, ceil), True),
        "min": (lambda v: nn.min_pool(v, window, stride, pads, dilation, ceil), True),
        "avg": (lambda v: nn.avg_pool(v, window, stride, pads, dilation, ceil), True),
        "avg of x": (lambda v: nn.avg_pool(v, window, stride, pads, dilation, ceil, count_include_pad=False), False),
    }
    for kind, (f, padded) in results.items():
        word = kind.split()[0]
        want = lambda v, word=word, padded=padded: pooled(word, v, window, stride, pads, dilation, ceil, padded)
        y = want(x)
        ct = np.random.default_rng(1).standard_normal(y.shape)
        got, g = mlc.jit(lambda v, c, f=f: (f(v), mlc.grad(lambda u: mnp.sum(f(u) * c))(v)))(x, ct)
        assert_matches(NEAR, got, y)
        step = 1e-6
        slope = np.zeros(x.shape)
        for at in np.ndindex(x.shape):
            unit = np.zeros(x.shape)
            unit[at] = step
            slope[at] = np.sum(ct * (want(x + unit) - want(x - unit))) / (2 * step)
        assert_matches(SLOPE, g, slope)


def test_equal_elements_share_the_gradient() -> None:
    x = np.array([1.0, 2.0, 2.0, 0.0, -1.0, -1.0]).reshape(1, 6, 1)
    g = mlc.jit(mlc.grad(lambda v: mnp.sum(nn.max_pool(v, 3))))(x)
    assert g.ravel().tolist() == [0, 0.5, 0.5, 1, 0, 0]
    # zeros around it are no elements
    y = np.full((1, 3, 1), -1.0)
    g = mlc.jit(mlc.grad(lambda v: mnp.sum(nn.max_pool(v, 2, 2, [(1, 0)]))))(y)
    assert g.ravel().tolist() == [1, 0.5, 0.5]


def test_products_of_windows_with_zeros() -> None:
    from mlc.dialects.nd.pooling import pool

    x = np.array([2.0, 0.0, 3.0, 0.0, 0.0, 5.0]).reshape(1, 6, 1)
    g = mlc.jit(mlc.grad(lambda v: mnp.sum(pool("prod")(v, 3, 1, 1))))(x)
    padded = np.concatenate([[1.0], x.ravel(), [1.0]])
    want = [sum(np.prod(np.delete(padded[i : i + 3], p - i)) for i in range(6) if i <= p < i + 3) for p in range(1, 7)]
    assert_matches(NEAR, g.ravel(), want)


def test_special_values_and_layouts() -> None:
    x = np.array([[np.nan, 1, 2, -0.0, 0.0, -np.inf, -np.inf, 3]]).reshape(1, 1, 8)
    got = mlc.jit(lambda v: nn.max_pool(v, 2, layout="NCW"))(x)
    assert_matches(EXACT, got, np.array([[[np.nan, 2, 0.0, 3]]]))
    got = mlc.jit(lambda v: nn.min_pool(v, 2, layout="NCW"))(x)
    assert_matches(EXACT, got, np.array([[[np.nan, -0.0, -np.inf, -np.inf]]]))
    ints = RNG.integers(-9, 9, (2, 6, 5, 3))
    got = mlc.jit(lambda v: nn.max_pool(v, (2, 5)))(ints)
    assert_matches(EXACT, got, ints.reshape(2, 3, 2, 1, 5, 3).max((2, 4)))


def test_global_and_adaptive() -> None:
    x = RNG.standard_normal((2, 7, 6, 3))
    assert_matches(NEAR, mlc.jit(nn.global_avg_pool)(x), x.mean((1, 2)))
    assert_matches(NEAR, mlc.jit(lambda v: nn.global_max_pool(v, True))(x), x.max((1, 2), keepdims=True))
    got = mlc.jit(lambda v: nn.adaptive_avg_pool(v, (3, 2)))(x)
    want = [[x[:, a:b, c : c + 3].mean((1, 2)) for c in (0, 3)] for a, b in ((0, 3), (2, 5), (4, 7))]
    assert_matches(NEAR, got, np.transpose(want, (2, 0, 1, 3)))
    got = mlc.jit(lambda v: nn.adaptive_max_pool(v, 1))(x)
    assert_matches(EXACT, got, x.max((1, 2), keepdims=True))


def test_symbolic_pools() -> None:
    f = mlc.compile(lambda v: nn.max_pool(v, 3, 2, 1), mlc.spec(("b", "n", 4), "float64"))
    g = mlc.compile(lambda v: nn.avg_pool(v, 3, 1, 1, count_include_pad=False), mlc.spec(("b", "n", 4), "float64"))
    for n in (1, 2, 7, 12):
        x = RNG.standard_normal((3, n, 4))
        assert_matches(EXACT, f(x), pooled("max", x, (3,), (2,), [(1, 1)], (1,), False))
        assert_matches(NEAR, g(x), pooled("avg", x, (3,), (1,), [(1, 1)], (1,), False, False))


# Cumulative reductions.

NUMPYS: dict[str, Any] = {
    "sum": (mnp.cumsum, np.add),
    "prod": (mnp.cumprod, np.multiply),
    "max": (mnp.cummax, np.maximum),
    "min": (mnp.cummin, np.minimum),
}


@pytest.mark.parametrize("kind", NUMPYS)
def test_cumulative(kind: str) -> None:
    ours, ufunc = NUMPYS[kind]
    x = RNG.standard_normal((3, 5, 4))
    results = mlc.jit(lambda v: [*(ours(v, k) for k in (0, 1, -1)), ours(v), ours(v, 1, reverse=True)])(x)
    wants = [ufunc.accumulate(x, k) for k in (0, 1, -1)]
    wants += [ufunc.accumulate(x.ravel()), np.flip(ufunc.accumulate(np.flip(x, 1), 1), 1)]
    for got, want in zip(results, wants, strict=True):
        assert_matches(NEAR, got, want)


def test_exclusive_and_initial() -> None:
    x = RNG.standard_normal((2, 5))
    got = mlc.jit(lambda v: [mnp.cumsum(v, 1, exclusive=True), mnp.cumprod(v, 1, reverse=True, exclusive=True)])(x)
    assert_matches(NEAR, got[0], np.cumsum(x, 1) - x)
    assert_matches(NEAR, got[1], np.array([[np.prod(r[k + 1 :]) for k in range(5)] for r in x]))
    got = mlc.jit(lambda v: [mnp.cumulative_sum(v, axis=0, include_initial=True), mnp.cumulative_prod(v[0])])(x)
    assert_matches(NEAR, got[0], np.concatenate([np.zeros((1, 5)), np.cumsum(x, 0)]))
    assert_matches(NEAR, got[1], np.cumprod(x[0]))
    flags = np.array([True, False, True])
    assert mlc.jit(mnp.cumsum)(flags).tolist() == [1, 1, 2]


def test_cumulative_logsumexp() -> None:
    x = RNG.standard_normal((3, 9)) * 1e3
    x[1, :3] = -np.inf
    for reverse in (False, True):
        y = np.flip(x, 1) if reverse else x
        want = np.logaddexp.accumulate(y, 1)
        got = mlc.jit(lambda v, reverse=reverse: mnp.cumulative_logsumexp(v, 1, reverse))(x)
        assert_matches(NEAR, got, np.flip(want, 1) if reverse else want)


@pytest.mark.parametrize("zeros", [0, 1, 2])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dynamic", [False, True])
def test_products_with_zeros(zeros: int, reverse: bool, dynamic: bool) -> None:
    """The gradient, and that of it, where there is nothing to divide by; also of a size known at run time."""
    x = np.random.default_rng(3).standard_normal((2, 6))
    x[0, 1 : 1 + zeros] = 0
    ct = np.random.default_rng(4).standard_normal(x.shape)
    loss = lambda v, c: mnp.sum(mnp.cumprod(v, 1, reverse=reverse) * c)
    order = range(5, -1, -1) if reverse else range(6)

    def want(v: Np, at: tuple[int, int]) -> float:
        row, j = at
        seen = list(order)
        out = 0.0
        for end in range(6):
            if j in seen[: end + 1]:
                out += ct[row, seen[end]] * np.prod([v[row, k] for k in seen[: end + 1] if k != j])
        return out

    spec = mlc.spec((2, "n"), "float64") if dynamic else mlc.spec((2, 6), "float64")
    g = mlc.compile(mlc.grad(loss), spec, spec)
    assert_matches(NEAR, g(x, ct), [[want(x, (r, j)) for j in range(6)] for r in range(2)])
    if not dynamic:
        square = mlc.jit(mlc.grad(lambda v, c: mnp.sum(mlc.grad(loss)(v, c) ** 2)))(x, ct)
        step = 1e-6
        for at in np.ndindex(x.shape):
            unit = np.zeros(x.shape)
            unit[at] = step
            slope = (np.sum(g(x + unit, ct) ** 2) - np.sum(g(x - unit, ct) ** 2)) / (2 * step)
            assert_matches(SLOPE, square[at], slope)


def test_ties_of_cumulative_maxima() -> None:
    """The latest element that attains it takes all."""
    x = np.array([1.0, 3.0, 3.0, 2.0, 3.0])
    g = mlc.jit(mlc.grad(lambda v: mnp.sum(mnp.cummax(v))))(x)
    assert g.tolist() == [1, 1, 2, 0, 1]
    g = mlc.jit(mlc.grad(lambda v: mnp.sum(mnp.cummax(v, reverse=True))))(x)
    assert g.tolist() == [0, 2, 1, 0, 2]


def test_nan_and_zeros_stay() -> None:
    x = np.array([-0.0, 0.0, -0.0, 1.0, np.nan, 2.0, -np.inf], np.float32)
    got = mlc.jit(lambda v: [mnp.cummax(v), mnp.cummin(v), mnp.cumsum(v)])(x)
    nan = np.nan
    assert_matches(EXACT, got[0], np.array([-0.0, 0.0, 0.0, 1.0, nan, nan, nan], np.float32))
    assert_matches(EXACT, got[1], np.array([-0.0, -0.0, -0.0, -0.0, nan, nan, nan], np.float32))
    assert_matches(EXACT, got[2][4:], np.array([nan, nan, nan], np.float32))


# Sorts.


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool"])
@pytest.mark.parametrize("n", [0, 1, 2, 7, 8, 9, 16, 17, 31, 33, 100, 1000])
def test_sorts(dtype: str, n: int) -> None:
    x = np.random.default_rng(n).integers(-5, 5, (3, n)).astype(dtype)
    if dtype.startswith("float") and n > 2:
        x[0, ::3] = np.nan
        x[1, ::2] = -0.0
        x[2, 1] = -np.inf
    keys = ~x if dtype == "bool" or dtype.startswith("int") else -x
    up, down = np.argsort(x, 1, kind="stable"), np.argsort(keys, 1, kind="stable")
    got = mlc.jit(
        lambda v: [mnp.sort(v), mnp.argsort(v), mnp.sort(v, descending=True), mnp.argsort(v, descending=True)]
    )(x)
    assert_matches(EXACT, got[0], np.take_along_axis(x, up, 1))
    assert_matches(EXACT, got[1], up)
    assert_matches(EXACT, got[2], np.take_along_axis(x, down, 1))
    assert_matches(EXACT, got[3], down)


def test_symbolic_sorts() -> None:
    f = mlc.compile(lambda v: [mnp.sort(v, 0), mnp.argsort(v, 1)], mlc.spec(("n", "m"), "float32"))
    for shape in ((0, 3), (1, 1), (40, 3), (5, 70), (9, 1025)):
        x = RNG.integers(0, 50, shape).astype(np.float32)
        got = f(x)
        assert_matches(EXACT, got[0], np.sort(x, 0))
        assert_matches(EXACT, got[1], np.argsort(x, 1, kind="stable"))


def test_gradient_of_a_sort_and_what_comes_of_it() -> None:
    x, ct = RNG.standard_normal((3, 9)), RNG.standard_normal((3, 9))
    g = mlc.jit(mlc.grad(lambda v, c: mnp.sum(mnp.sort(v, 1) * c)))(x, ct)
    want = np.zeros_like(x)
    np.put_along_axis(want, np.argsort(x, 1), ct, 1)
    assert_matches(EXACT, g, want)
    values, places = mlc.jit(lambda v: mnp.top_k(v, 3))(x)
    order = np.argsort(-x, 1)[:, :3]
    assert_matches(EXACT, places, order)
    assert_matches(EXACT, values, np.take_along_axis(x, order, 1))
    x[1, 2] = np.nan
    got = mlc.jit(lambda v: [mnp.median(v, 1), mnp.median(v[:, :4], 1), mnp.median(v, 0, True)])(x)
    for mine, theirs in zip(got, (np.median(x, 1), np.median(x[:, :4], 1), np.median(x, 0, keepdims=True))):
        assert_matches(NEAR, mine, theirs)


def test_vmap() -> None:
    x = RNG.standard_normal((4, 5, 3))
    for f in (
        lambda v: mnp.cumsum(v, 0),
        lambda v: mnp.sort(v, 1),
        lambda v: mnp.argsort(v, 0, descending=True),
        lambda v: mnp.cummax(v, 1),
        lambda v: nn.max_pool(v[None], 2),
    ):
        got = mlc.jit(mlc.vmap(f, in_axes=2))(x)
        assert_matches(NEAR, got, np.stack([mlc.jit(f)(x[:, :, k]) for k in range(3)]))


def test_neighbours_of_kernels_that_stand_alone() -> None:
    """Elementwise work before and behind windows, lines and sorts."""
    x = RNG.standard_normal((2, 8, 3))
    got = mlc.jit(
        lambda v: [
            nn.relu(nn.max_pool(nn.relu(v) * 2, 2)) + 1,
            mnp.exp(mnp.cumsum(v * v, 1)) - v,
            mnp.sort(-v, 1) * 2,
            mnp.sum(mnp.cumsum(v.T, 0), 1),
        ]
    )(x)
    top = (np.maximum(x, 0) * 2).reshape(2, 4, 2, 3).max(2)
    wants = [np.maximum(top, 0) + 1, np.exp(np.cumsum(x * x, 1)) - x, np.sort(-x, 1) * 2, np.cumsum(x.T, 0).sum(1)]
    for mine, theirs in zip(got, wants, strict=True):
        assert_matches(NEAR, mine, theirs)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (mnp.unique, "whose size the shapes tell, found one that depends on the values"),
        (lambda x: mnp.top_k(x, 9), "expected k from 0 to the 4 elements along axis 1, found 9"),
        (lambda x: mnp.sort(x, 2), "expected an axis from -2 to 1, found 2"),
        (lambda x: mnp.cumsum(x, 3), "expected an axis from -2 to 1, found 3"),
        (mnp.cumulative_sum, "expected an axis for an array of 2 dimensions, found none"),
        (lambda x: mnp.median(x[:, :0], 1), "expected a size that is known and not 0"),
        (lambda x: nn.max_pool(x[None], 0), "expected window of at least 1 for each of 1 spatial"),
        (lambda x: nn.adaptive_avg_pool(x[None, :0], 2), "known and not 0 for adaptive pooling"),
    ],
)
def test_wrong_arguments(call: Any, message: str) -> None:
    with pytest.raises(mlc.CompileError) as found:
        mlc.jit(call)(np.ones((3, 4)))
    assert message in str(found.value)


def test_sizes_at_run_time_that_hold_no_window() -> None:
    f = mlc.compile(lambda x: nn.conv(x, np.ones((3, 2, 2), np.float32)), mlc.spec((1, "n", 2)))
    assert f(np.ones((1, 2, 2), np.float32)).shape == (1, 0, 2)
    with pytest.raises(mlc.CompileError, match="windows that fit: expected at least 0, found -1 at n = 1"):
        f(np.ones((1, 1, 2), np.float32))
    g = mlc.compile(lambda x: mnp.top_k(x, 3)[0], mlc.spec((2, "n")))
    with pytest.raises(mlc.CompileError, match="expected indices from 0 to 1, found 3 from 0 to 2 at n = 2"):
        g(np.ones((2, 2), np.float32))
