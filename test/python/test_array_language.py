"""`Array` and the functions against NumPy, symbolic sizes, and the messages of wrong uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mlc.dialects.errors import CompileError
from mlc.dialects.nd import functions as F
from mlc.dialects.nd.dims import symbol
from mlc.dialects.nd.op import EXACT, Array, Tolerance, building, locate
from mlc.dialects.nd.types import of_numpy, tensor
from mlc.runtime.matching import assert_matches
from op_cases import run_block
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, StringAttr, f32, f64, i1, i32, i64
from xdsl.ir import Block

NEAR = Tolerance(ulp=16, sums=16)

RNG = np.random.default_rng(0)
X = RNG.integers(-4, 5, (3, 4, 5)).astype(np.float64)
M, N, V = X[0], X[1].T, X[0, 0]


def run(f: Callable[..., Any], *arrays: Any) -> Any:
    block = Block(arg_types=[tensor(a.shape, of_numpy(a.dtype)) for a in arrays])
    with building(block):
        out = f(*map(Array, block.args))
    for op in block.ops:
        op.verify()
    return run_block(block, arrays)[out.value]


SAME_AS_NUMPY: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (lambda x: x + 1 - 2 * x / 4, (X,)),
    (lambda x: 1 - x, (X,)),
    (lambda x: 2 / (x * x + 1), (X,)),
    (lambda x: x // 2 + 7 // (x * x + 1), (X,)),
    (lambda x: x % 3, (X,)),
    (lambda x: x**2 + x**3 + x**1 + x**0, (X,)),
    (lambda x: (x * x + 1) ** 0.5, (X,)),
    (lambda x: -x + abs(x) + (+x), (X,)),
    (lambda x: (x > 1) & (x <= 3) | ~(x == 0) ^ (x != 2), (X,)),
    (lambda x, y: x + y, (X, V)),
    (lambda x: np.arange(5.0) - x, (X,)),
    (lambda x: (np.ones((4, 5)) > x) | (np.zeros(5) == x), (X,)),
    (lambda x: np.float64(3) * x + x / np.int64(2), (X,)),
    (lambda x, y: x * y, (X[:, :1], X[:1])),
    (lambda x, y: (x < y) == (y >= x), (X, V)),
    (lambda x: x[1], (X,)),
    (lambda x: x[-1, 2, 1:], (X,)),
    (lambda x: x[..., 1], (X,)),
    (lambda x: x[:, None, ..., ::-2], (X,)),
    (lambda x: x[2:0:-1, 1:3, None], (X,)),
    (lambda x: x[5:, -2:, :-1], (X,)),
    (lambda x: x[0, 1, 2], (X,)),
    (lambda x: x.T, (X,)),
    (lambda x: x.transpose(1, 0, 2), (X,)),
    (lambda x: x.transpose((2, 0, 1)), (X,)),
    (lambda x: x.reshape(-1), (X,)),
    (lambda x: x.reshape(5, -1), (X,)),
    (lambda x: x.reshape((2, 30)), (X,)),
    (lambda x: x.sum(), (X,)),
    (lambda x: x.sum(-1, keepdims=True) + x.max((0, 2)).reshape(4, 1), (X,)),
    (lambda x: x.min(0) * x.prod(1).sum(), (X,)),
    (lambda x: x.mean(1), (X,)),
    (lambda x: x.mean(), (X,)),
    (lambda x: x.var((0, 1)), (X,)),
    (lambda x: (x > 3).any(1), (X,)),
    (lambda x: (x > -5).all(), (X,)),
    (lambda x: (x > 0).sum(0), (X,)),
    (lambda x: x.argmax(1), (X,)),
    (lambda x: x.argmin(), (X,)),
    (lambda x, y: x @ y, (M, N)),
    (lambda x, y: x @ y, (V, N)),
    (lambda x, y: x @ y, (M, V)),
    (lambda x, y: x @ y, (V, V)),
    (lambda x, y: x @ y, (X, N)),
    (lambda x, y: x @ y, (X, X.transpose(0, 2, 1))),
    (lambda x, y: x @ y, (X[:1], X.transpose(0, 2, 1))),
    (lambda x, y: x @ y, (X[:, None], X.transpose(0, 2, 1)[None, :1])),
    (lambda x, y: x @ y, (X[:1], X[:1].transpose(0, 2, 1))),
]


@pytest.mark.parametrize("number", range(len(SAME_AS_NUMPY)))
def test_same_as_numpy(number: int) -> None:
    f, arrays = SAME_AS_NUMPY[number]
    got, want = run(f, *arrays), np.asarray(f(*arrays))
    assert got.dtype == want.dtype and got.shape == want.shape
    assert_matches(NEAR, got, want)


FUNCTIONS: list[tuple[str, Callable[..., Any], Callable[..., Any], tuple[Any, ...]]] = [
    ("where", lambda x: F.where(x > 0, x, 0), lambda x: np.where(x > 0, x, 0), (X,)),
    ("clip", lambda x: F.clip(x, -1, 2), lambda x: np.clip(x, -1, 2), (X,)),
    ("stack", lambda x: F.stack([x, x], 1), lambda x: np.stack([x, x], 1), (X,)),
    ("concatenate", lambda x: F.concatenate([x, x[:1]]), lambda x: np.concatenate([x, x[:1]]), (X,)),
    ("flip", lambda x: F.flip(x, (0, -1)), lambda x: np.flip(x, (0, -1)), (X,)),
    ("pad", lambda x: F.pad(x, (1, 2), 3), lambda x: np.pad(x, (1, 2), constant_values=3), (X,)),
    ("moveaxis", lambda x: F.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, 0, -1), (X,)),
    ("swapaxes", lambda x: F.swapaxes(x, 0, -1), lambda x: np.swapaxes(x, 0, -1), (X,)),
    ("squeeze", lambda x: F.squeeze(x[:1], 0), lambda x: np.squeeze(x[:1], 0), (X,)),
    ("broadcast", lambda x: F.broadcast_to(x, (2, 4, 5)), lambda x: np.broadcast_to(x, (2, 4, 5)), (M,)),
    ("softmax", lambda x: F.softmax(x, 0), lambda x: np.exp(x) / np.exp(x).sum(0), (M,)),
    ("mse", F.mse, lambda x, y: ((x - y) ** 2).mean(), (M, M[::-1].copy())),
    *(
        (s, lambda *xs, s=s: F.einsum(s, *xs), lambda *xs, s=s: np.einsum(s, *xs), a)
        for s, a in [
            ("ij,jk->ik", (M, N)),
            ("ij, kj", (M, M)),
            ("...ij,...jk->...ik", (X, N)),
            ("i...->...", (X,)),
            ("ii->i", (M[:, :4],)),
            ("ii", (M[:, :4],)),
            ("abc,b,c->a", (X, M[:, 0], V)),
            ("ij->ji", (M,)),
        ]
    ),
]


@pytest.mark.parametrize(("name", "ours", "theirs", "arrays"), FUNCTIONS, ids=[f[0] for f in FUNCTIONS])
def test_functions(name: str, ours: Any, theirs: Any, arrays: Any) -> None:
    assert_matches(NEAR, run(ours, *arrays), theirs(*arrays))


def test_conv_is_the_sum_over_windows() -> None:
    x, w = RNG.standard_normal((2, 9, 3)), RNG.standard_normal((3, 3, 4))
    got = run(lambda a, b: F.conv(a, b, [2], [(1, 1)], [1]), x, w)
    padded = np.pad(x, ((0, 0), (1, 1), (0, 0)))
    want = np.stack([np.einsum("nkc,kco->no", padded[:, s : s + 3], w) for s in range(0, 9, 2)], 1)
    assert_matches(NEAR, got, want)


def test_python_numbers_are_weak() -> None:
    def dtype(f: Callable[[Array], Array], of: Any) -> Any:
        with building(Block(arg_types=[tensor((2,), of)])) as place:
            return f(Array(place.block.args[0])).dtype

    for of in (f32, f64):
        assert dtype(lambda x: x + 1, of) == dtype(lambda x: 2.5 * x, of) == dtype(lambda x: x / True, of) == of
    assert dtype(lambda x: x + 1, i32) == i32
    assert dtype(lambda x: x * 0.5, i32) == f32
    assert dtype(lambda x: x / 2, i64) == f32
    assert dtype(lambda x: x + 1, i1) == i64
    assert dtype(lambda x: x + x.astype("float64"), f32) == f64
    assert dtype(lambda x: x + x.astype("int64"), f32) == f32
    assert dtype(lambda x: x + np.ones(2, np.float64), f32) == f64


def test_symbolic_sizes() -> None:
    b = symbol("b")
    block = Block(arg_types=[tensor((b, 4), f64), tensor((4, 3), f64)])
    with building(block):
        x, w = map(Array, block.args)
        outs = {
            "mean": (x @ w).mean(0),
            "all": x.mean(),
            "rest": x[1:, ::2],
            "back": x[::-1],
            "last": x[-1],
            "flat": x.reshape(-1),
            "rows": x.reshape(-1, 2),
            "twice": F.concatenate([x, x]),
            "pad": F.pad(x, ((b, 0), (0, 1))),
        }
    a, v = RNG.standard_normal((5, 4)), RNG.standard_normal((4, 3))
    env = run_block(block, [a, v], {"b": 5})
    wants = {
        "mean": (a @ v).mean(0),
        "all": a.mean(),
        "rest": a[1:, ::2],
        "back": a[::-1],
        "last": a[-1],
        "flat": a.reshape(-1),
        "rows": a.reshape(-1, 2),
        "twice": np.concatenate([a, a]),
        "pad": np.pad(a, ((5, 0), (0, 1))),
    }
    for name, want in wants.items():
        assert_matches(NEAR, env[outs[name].value], want)
    assert str(outs["twice"].type) == "tensor<?x4xf64, #nd.sym<2*b>>"


WRONG: list[tuple[Callable[[Array, Array], Any], str]] = [
    (
        lambda x, y: x + y[:2],
        r"expected shapes that broadcast, found \[3, 4\] and \[2, 4\]: sizes 3 and 2 in dimension 0",
    ),
    (lambda x, y: x @ y, r"expected the last size .* to equal the second last .*, found 4 and 3"),
    (
        lambda x, y: bool(x.sum() > 0),
        r"the truth of a traced value of type tensor<i1> is not known .* use mlc.numpy.where",
    ),
    (lambda x, y: float(x[0, 0]), "the value of a traced value of type tensor<f32> is not known"),
    (lambda x, y: np.sin(x), "numpy.sin cannot take a traced value of type .*; use mlc.numpy.sin"),
    (lambda x, y: np.asarray(x), "use functions of mlc.numpy instead of numpy's"),
    (lambda x, y: x[5], r"expected an index from -3 to 2 in dimension 0, found 5"),
    (lambda x, y: x[0, 0, 0], r"expected at most 2 indices for tensor<3x4xf32>, found 3"),
    (lambda x, y: x[y > 0], r"expected positions as integers, found a mask: .* use mlc.numpy.where"),
    (lambda x, y: x.reshape(5, -1), r"expected a shape of 12 elements, found \[5, -1\] for tensor<3x4xf32>"),
    (lambda x, y: x.reshape(5, 5), r"nd.reshape: expected 12 elements as in tensor<3x4xf32>, found 25"),
    (lambda x, y: x.sum(2), r"expected an axis from -2 to 1, found 2"),
    (lambda x, y: x.transpose(0, 0), r"expected a permutation of 2 axes, found \[0, 0\]"),
    (
        lambda x, y: x.astype("float128"),
        r"expected an element type such as float32, .*, found float128",
    ),
    (lambda x, y: x + np.zeros(4, "M8[s]"), r"expected elements of a float, .* found datetime64\[s\]: convert first"),
    (lambda x, y: F.concatenate([x, y[:, :2]], 0), r'nd.concat: operand 1, dimension 1: expected size 4 of "b"'),
    (
        lambda x, y: F.cross_entropy(x, F.zeros((2,), "int64")),
        r"expected labels of shape \[3\] for logits .*, found \[2\]",
    ),
    (lambda x, y: x[:, :0].argmax(1), r"nd.argmax: expected at least one element in dimension 1 of tensor<3x0xf32>"),
    (lambda x, y: F.contract("a b, c", x, y), 'expected a dimension map such as "a b, b c -> a c"'),
    (lambda x, y: x.astype("int32") + (1 << 40), r"expected a number that i32 holds, found 1099511627776"),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_wrong_uses_name_the_place_expected_and_found(number: int) -> None:
    f, message = WRONG[number]
    where = FileLineColLoc(StringAttr("user.py"), IntAttr(7), IntAttr(3))
    old, locate[0] = locate[0], lambda: where
    try:
        block = Block(arg_types=[tensor((3, 4), f32)] * 2)
        with building(block), pytest.raises((CompileError, TypeError), match=message) as error:
            f(*map(Array, block.args))
    finally:
        locate[0] = old
    if isinstance(error.value, CompileError):
        assert error.value.location == where


def test_outside_a_trace() -> None:
    with pytest.raises(CompileError, match="expected to be inside a traced function"):
        F.zeros((2,))


def test_exactness_of_movement() -> None:
    x = np.array([[np.nan, -0.0], [np.inf, 0.0]], np.float32)
    assert_matches(EXACT, run(lambda a: F.flip(a.T[::-1]), x), np.flip(x.T[::-1]))
