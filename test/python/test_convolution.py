"""Convolutions against sums written out, their gradients against the sums' own, interpreted and as native code."""

from __future__ import annotations

import itertools
from typing import Any

import mlc
import mlc.nn as nn
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.compiler.parsing import parse_module
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import Tolerance, assert_matches

Np = np.ndarray[Any, Any]
NEAR = Tolerance(ulp=64, sums=64, scale=1)
SLOPE = Tolerance(sums=1, scale=1, eps=1e-6)
"""Of differences of f64."""


def dilate(x: Np, by: int, axis: int) -> Np:
    n = x.shape[axis]
    shape = [*x.shape]
    shape[axis] = (n - 1) * by + 1 if n else 0
    out = np.zeros(shape, x.dtype)
    out[(slice(None),) * axis + (slice(None, None, by),)] = x
    return out


def widened(x: Np, low: int, high: int, axis: int) -> Np:
    """Zeros around an axis; negative numbers cut."""
    pads = [(0, 0)] * x.ndim
    pads[axis] = (max(low, 0), max(high, 0))
    x = np.pad(x, pads)
    n = x.shape[axis]
    start = min(max(-low, 0), n)
    return x[(slice(None),) * axis + (slice(start, max(n - max(-high, 0), start)),)]


def reference(x: Np, w: Np, stride: Any, pads: Any, dilation: Any, base: Any, groups: int) -> Np:
    """[n, *spatial, c] and [*kernel, c / groups, o], window by window."""
    rank = x.ndim - 2
    for k in range(rank):
        x = widened(dilate(x, base[k], k + 1), *pads[k], k + 1)
        w = dilate(w, dilation[k], k)
    out = [max((n - m) // s + 1, 0) if n >= m else 0 for n, m, s in zip(x.shape[1:-1], w.shape, stride)]
    c, o = w.shape[-2], w.shape[-1] // groups
    y = np.zeros((x.shape[0], *out, w.shape[-1]), x.dtype)
    for at in itertools.product(*map(range, out)):
        part = x[(slice(None), *(slice(i * s, i * s + m) for i, s, m in zip(at, stride, w.shape)))]
        for g in range(groups):
            left, right = part[..., g * c : (g + 1) * c], w[..., g * o : (g + 1) * o]
            y[(slice(None), *at, slice(g * o, (g + 1) * o))] = np.tensordot(left, right, rank + 1)
    return y


# spatial sizes, kernel, channels in and out, stride, padding, dilation, base dilation, groups
CASES: dict[str, tuple[Any, ...]] = {
    "plain": ((7,), (3,), 2, 3, 1, 0, 1, 1, 1),
    "stride": ((8,), (3,), 2, 3, 2, 1, 1, 1, 1),
    "stride beyond the kernel": ((11,), (2,), 1, 2, 3, 1, 1, 1, 1),
    "dilation": ((9,), (3,), 2, 2, 1, 2, 2, 1, 1),
    "stride and dilation": ((13,), (3,), 2, 2, 3, 2, 2, 1, 1),
    "base": ((5,), (3,), 2, 2, 1, 2, 1, 3, 1),
    "all": ((6,), (3,), 2, 2, 3, [(4, 1)], 2, 2, 1),
    "even": ((6,), (4,), 1, 2, 2, [(1, 2)], 1, 1, 1),
    "negative": ((9,), (3,), 2, 2, 1, [(-2, -1)], 1, 1, 1),
    "negative and stride": ((10,), (3,), 2, 2, 2, [(-1, 2)], 1, 1, 1),
    "groups": ((6,), (3,), 4, 6, 1, 1, 1, 1, 2),
    "depthwise": ((7,), (3,), 3, 3, 2, 1, 1, 1, 3),
    "depthwise twice": ((5,), (3,), 3, 6, 1, 1, 1, 1, 3),
    "point": ((5,), (1,), 3, 2, 1, 0, 1, 1, 1),
    "point and stride": ((5,), (1,), 3, 2, 2, 0, 1, 1, 1),
    "whole": ((4,), (4,), 2, 2, 1, 0, 1, 1, 1),
    "larger kernel": ((2,), (4,), 2, 2, 1, 0, 1, 1, 1),
    "larger kernel, padded": ((2,), (5,), 2, 2, 1, 2, 1, 1, 1),
    "no places": ((0,), (3,), 2, 2, 1, 0, 1, 1, 1),
    "no places, padded": ((0,), (3,), 2, 2, 1, 2, 1, 1, 1),
    "no channels": ((4,), (3,), 0, 2, 1, 1, 1, 1, 1),
    "no results": ((4,), (3,), 2, 0, 1, 1, 1, 1, 1),
    "two": ((6, 5), (3, 2), 2, 3, (2, 1), [(1, 1), (0, 1)], 1, 1, 1),
    "two, all": ((5, 4), (2, 3), 4, 2, (2, 3), [(2, -1), (1, 2)], (1, 2), (2, 1), 2),
    "three": ((4, 3, 5), (2, 3, 2), 1, 2, (1, 2, 2), 1, 1, 1, 1),
}


def resolved(case: tuple[Any, ...]) -> tuple[Any, ...]:
    spatial, kernel, ci, co, stride, pads, dilation, base, groups = case
    each = lambda v: list(v) if isinstance(v, tuple | list) else [v] * len(spatial)
    pairs = [(p, p) if isinstance(p, int) else p for p in each(pads)]
    return spatial, kernel, ci, co, each(stride), pairs, each(dilation), each(base), groups


def arrays(case: tuple[Any, ...], dtype: Any = np.float64) -> tuple[Np, Np]:
    spatial, kernel, ci, co, *_, groups = case
    rng = np.random.default_rng(len(str(case)))
    x = rng.standard_normal((2, *spatial, ci)).astype(dtype)
    return x, rng.standard_normal((*kernel, ci // groups, co)).astype(dtype)


def jacobian(f: Any, x: Np, ct: Np) -> Np:
    """<ct, f(e)> for every unit e: the gradient of a linear f."""
    out = np.zeros(x.shape)
    for at in np.ndindex(x.shape):
        unit = np.zeros(x.shape)
        unit[at] = 1
        out[at] = np.sum(ct * f(unit))
    return out


@pytest.mark.parametrize("name", CASES)
def test_conv_and_its_gradients(name: str) -> None:
    case = CASES[name]
    *_, stride, pads, dilation, base, groups = resolved(case)
    x, w = arrays(case)
    want = reference(x, w, stride, pads, dilation, base, groups)
    ct = np.random.default_rng(1).standard_normal(want.shape)

    def f(x: Any, w: Any) -> Any:
        return nn.conv(x, w, stride, pads, dilation, groups, base)

    def both(x: Any, w: Any, ct: Any) -> Any:
        gx, gw = mlc.grad(lambda x, w: mnp.sum(f(x, w) * ct), argnums=(0, 1))(x, w)
        return f(x, w), gx, gw

    y, gx, gw = mlc.jit(both)(x, w, ct)
    assert_matches(NEAR, y, want)
    assert_matches(NEAR, gx, jacobian(lambda v: reference(v, w, stride, pads, dilation, base, groups), x, ct))
    assert_matches(NEAR, gw, jacobian(lambda v: reference(x, v, stride, pads, dilation, base, groups), w, ct))


@pytest.mark.parametrize("name", ["stride", "all", "groups", "two, all", "larger kernel, padded"])
def test_interpreted(name: str) -> None:
    case = CASES[name]
    *_, stride, pads, dilation, base, groups = resolved(case)
    x, w = arrays(case)
    with mlc.eager():
        y = np.asarray(nn.conv(x, w, stride, pads, dilation, groups, base))
    assert_matches(NEAR, y, reference(x, w, stride, pads, dilation, base, groups))


LAYOUTS = [("NHWC", (0, 1, 2, 3), (0, 1, 2, 3)), ("NCHW", (0, 3, 1, 2), (3, 2, 0, 1))]


@pytest.mark.parametrize(("layout", "of_x", "of_w"), LAYOUTS)
@pytest.mark.parametrize("groups", [1, 2])
def test_layouts(layout: str, of_x: Any, of_w: Any, groups: int) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 6, 5, 4)), rng.standard_normal((3, 2, 4 // groups, 6))
    bias = rng.standard_normal(6)
    want = reference(x, w, [2, 1], [(1, 1), (0, 0)], [1, 1], [1, 1], groups) + bias
    f = lambda x, w, b: nn.conv(x, w, (2, 1), [1, 0], groups=groups, layout=layout, bias=b)
    got = mlc.jit(f)(np.transpose(x, of_x), np.transpose(w, of_w), bias)
    assert_matches(NEAR, got, np.transpose(want, of_x))


def test_any_layout() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 6, 5, 4)), rng.standard_normal((3, 2, 4, 6))
    f = lambda x, w: nn.conv(x, w, layout=("CNWH", "OWIH", "HNCW"))
    got = mlc.jit(f)(np.transpose(x, (3, 0, 2, 1)), np.transpose(w, (3, 1, 2, 0)))
    want = reference(x, w, [1, 1], [(0, 0)] * 2, [1, 1], [1, 1], 1)
    assert_matches(NEAR, got, np.transpose(want, (1, 0, 3, 2)))


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("n", [1, 5, 6])
@pytest.mark.parametrize("kernel", [1, 2, 5])
def test_same(stride: int, n: int, kernel: int) -> None:
    x, w = np.ones((1, n, 1)), np.ones((kernel, 1, 1))
    with mlc.eager():
        assert nn.conv(x, w, stride, "same").shape == (1, -(-n // stride), 1)
        assert nn.conv_transpose(x, w, stride, "same").shape == (1, n * stride, 1)


TRANSPOSED = {
    # spatial, kernel, channels in and out, stride, padding, dilation, groups, output_padding
    "plain": ((4,), (3,), 2, 3, 1, 0, 1, 1, 0),
    "stride": ((4,), (3,), 2, 3, 2, 1, 1, 1, 1),
    "stride beyond the kernel": ((3,), (2,), 2, 1, 3, 0, 1, 1, 0),
    "dilation": ((5,), (3,), 1, 2, 2, 1, 2, 1, 0),
    "groups": ((4,), (3,), 4, 6, 2, 1, 1, 2, 1),
    "two": ((3, 4), (2, 3), 2, 2, (2, 1), [(1, 0), (1, 1)], 1, 1, (0, 1)),
    "no places": ((0,), (3,), 2, 2, 2, 0, 1, 1, 0),
}


@pytest.mark.parametrize("name", TRANSPOSED)
def test_conv_transpose_is_the_transpose_of_conv(name: str) -> None:
    """<conv_transpose(x, w), y> = <x, conv(y, w')>, w' with channels in and out exchanged."""
    spatial, kernel, ci, co, stride, pads, dilation, groups, extra = TRANSPOSED[name]
    rank = len(spatial)
    each = lambda v: list(v) if isinstance(v, tuple | list) else [v] * rank
    st, di, ex = each(stride), each(dilation), each(extra)
    pairs = [(p, p) if isinstance(p, int) else p for p in each(pads)]
    rng = np.random.default_rng(2)
    x, w = rng.standard_normal((2, *spatial, ci)), rng.standard_normal((*kernel, ci, co // groups))
    f = lambda x, w: nn.conv_transpose(x, w, stride, pads, dilation, groups, extra)
    out = mlc.jit(f)(x, w)
    sizes = [
        (n - 1) * s + d * (k - 1) + 1 - lo - hi + e if n else 0
        for n, k, s, d, (lo, hi), e in zip(spatial, kernel, st, di, pairs, ex)
    ]
    assert out.shape == (2, *sizes, co)
    y = rng.standard_normal(out.shape)
    back = np.swapaxes(w, -1, -2).reshape(*kernel, co // groups, ci)
    ends = [(lo, hi - e) for (lo, hi), e in zip(pairs, ex)]
    there = reference(y, back, st, ends, di, [1] * rank, groups)
    assert_matches(NEAR, np.sum(out * y), np.sum(x * there[tuple(map(slice, x.shape))]))
    gx = mlc.jit(mlc.grad(lambda x, w: mnp.sum(f(x, w) * y)))(x, w)
    assert_matches(NEAR, gx, there if 0 not in spatial else np.zeros(x.shape))


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_element_types(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    x, w = (rng.integers(-4, 4, s).astype(dtype) for s in ((2, 9, 3), (3, 3, 4)))
    assert_matches(NEAR, mlc.jit(lambda x, w: nn.conv(x, w, 2, 1))(x, w), reference(x, w, [2], [(1, 1)], [1], [1], 1))


def test_symbolic_batch_and_sizes() -> None:
    specs = mlc.spec(("b", "h", 3), "float64"), mlc.spec((3, 3, 4), "float64")
    f = mlc.compile(lambda x, w: nn.conv(x, w, 1, "same"), *specs)
    rng = np.random.default_rng(0)
    w = rng.standard_normal((3, 3, 4))
    for shape in ((2, 9, 3), (5, 4, 3), (1, 17, 3)):
        x = rng.standard_normal(shape)
        assert_matches(NEAR, f(x, w), reference(x, w, [1], [(1, 1)], [1], [1], 1))


def test_windows_of_a_size_that_may_be_zero() -> None:
    """Elements that stand apart, read past the end: of no elements the end is before the beginning."""
    text = """
func.func @main(%y: tensor<?x4xf32, #nd.sym<n>>, %w: tensor<3x7x4xf32>) -> tensor<10x7xf32> {
  %0 = nd.contract %y, %w "(a-b+1)/2 e, b d e -> a d" to tensor<10x7xf32> : (tensor<?x4xf32, #nd.sym<n>>, tensor<3x7x4xf32>) -> tensor<10x7xf32>
  func.return %0 : tensor<10x7xf32>
}
"""  # noqa: E501
    f, interpreter, rng = mlc.compile(text), Interpreter(parse_module(text)), np.random.default_rng(0)
    w = rng.standard_normal((3, 7, 4), np.float32)
    for n in (0, 1, 5, 9):
        y = rng.standard_normal((n, 4), np.float32)
        assert_matches(NEAR, f(y, w), *interpreter.call("main", y, w))


def test_vmap_and_second_derivative() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((3, 2, 7, 2)), rng.standard_normal((3, 2, 2))
    f = lambda x, w: nn.conv(x, w, 2, 1)
    got = mlc.jit(mlc.vmap(f, in_axes=(0, None)))(x, w)
    assert_matches(NEAR, got, np.stack([reference(v, w, [2], [(1, 1)], [1], [1], 1) for v in x]))
    loss = lambda w: mnp.sum(f(mlc_square(f(x[0], w)), w))
    step = 1e-5
    g = mlc.jit(mlc.grad(lambda w: mnp.sum(mlc.grad(loss)(w) * w)))
    h = mlc.jit(lambda w: mnp.sum(mlc.grad(loss)(w) * w))
    unit = rng.standard_normal(w.shape)
    want = (h(w + step * unit) - h(w - step * unit)) / (2 * step)
    assert_matches(SLOPE, np.sum(g(w) * unit), want)


def mlc_square(x: Any) -> Any:
    return x * x


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, w: nn.conv(x, w[:, :2]), "expected a kernel of 3 / 1 input channels"),
        (lambda x, w: nn.conv(x, w, groups=3), "expected output channels of the kernel that 3 groups divide, found 4"),
        (lambda x, w: nn.conv(x, w, stride=0), "expected stride of at least 1 for each of 1 spatial"),
        (lambda x, w: nn.conv(x, w, stride=(1, 2)), "expected stride of at least 1 for each of 1 spatial"),
        (lambda x, w: nn.conv(x, w, padding="full"), 'expected "same", "valid", a number or a pair'),
        (lambda x, w: nn.conv(x, w, padding=[(1, 2), (3, 4)]), "for each of 1 dimensions as padding"),
        (lambda x, w: nn.conv(x, w, layout="NHWC"), "expected a layout of 3 different letters"),
        (lambda x, w: nn.conv(x, w, layout=("NWC", "WIC", "NWC")), 'expected I, O and one letter for each of "W"'),
        (lambda x, w: nn.conv(x, w, layout="NW"), 'expected N, C and one letter for each of "W", found "NW"'),
        (lambda x, w: nn.conv(x[0, 0], w), "expected an input of at least two dimensions"),
        (lambda x, w: nn.conv(x, w[0]), "expected 3 dimensions"),
        (lambda x, w: nn.conv_transpose(x, w, output_padding=-1), "expected output_padding of at least 0"),
    ],
)
def test_wrong_arguments(call: Any, message: str) -> None:
    x, w = np.ones((2, 9, 3)), np.ones((3, 3, 4))
    with pytest.raises(mlc.CompileError) as found:
        mlc.jit(call)(x, w)
    assert message in str(found.value)
