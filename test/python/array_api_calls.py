"""Calls of the Array API's functions, as NumPy takes them too: what `xp` is, either makes of it.

`x` is f64[3, 4], `y` f64[4, 2], `p` positive f64[3, 4], `v` f64[5] in order, `i`, `j` integers, `b` truth values, `s`
a stack of square matrices. A call behind `#` needs values: it runs in `mlc.eager()` only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

RNG = np.random.default_rng(5)
MIXED = np.array([[3, 0, -2, 5], [1, 1, 0, -4], [2, 7, 3, 0]])
INPUTS: dict[str, Any] = {
    "x": RNG.standard_normal((3, 4)),
    "y": RNG.standard_normal((4, 2)),
    "p": RNG.uniform(0.5, 2, (3, 4)),
    "v": np.array([-1.0, 0.5, 0.5, 2, 7]),
    "i": MIXED,
    "j": np.array([2, 0, -1, 1]),
    "b": MIXED > 1,
    "s": RNG.standard_normal((2, 3, 3)) + 3 * np.eye(3),
}

CALLS = """
xp.arange(5)
xp.arange(2, 9, 3)
xp.arange(9, 2, -2)
xp.arange(0.0, 1.0, 0.25, dtype=xp.float64)
xp.arange(3, dtype=xp.uint8)
xp.asarray([[1, 2], [3, 4]])
xp.asarray([True, False])
xp.asarray(x, copy=True)
xp.empty((2, 0), dtype=xp.int8)
xp.eye(3, dtype=xp.float64)
xp.eye(3, 4, k=1, dtype=xp.int32)
xp.eye(2, 5, k=-1, dtype=xp.float64)
xp.full((2, 3), 7)
xp.full((2, 3), 1.5, dtype=xp.float64)
xp.full(3, True)
xp.full_like(x, 3)
xp.full_like(i, 3, dtype=xp.int16)
xp.linspace(0.0, 1.0, num=7, dtype=xp.float64)
xp.linspace(2, -1, num=4, dtype=xp.float64, endpoint=False)
xp.linspace(0.0, 1.0, num=0, dtype=xp.float64)
xp.meshgrid(v, j)
xp.meshgrid(v, j, v, indexing="ij")
xp.meshgrid(v, j, v, indexing="xy")
xp.meshgrid(v)
xp.ones((2, 3), dtype=xp.int64)
xp.ones_like(x, dtype=xp.float32)
xp.zeros(4, dtype=xp.uint16)
xp.zeros_like(i)
xp.empty_like(xp.zeros((0, 3), dtype=xp.float64))
xp.tril(x)
xp.tril(x, k=1)
xp.triu(x, k=-1)
xp.triu(s, k=1)
xp.astype(x, xp.float32)
xp.astype(i, xp.bool)
xp.astype(b, xp.float64, copy=False)
xp.clip(x, -0.5, 0.5)
xp.clip(x, min=0.0)
xp.clip(x, max=xp.asarray([0.0, 1.0, 0.5, 0.25], dtype=xp.float64))
xp.bitwise_and(i, 6)
xp.bitwise_or(i, j)
xp.bitwise_xor(6, i)
xp.bitwise_invert(i)
xp.bitwise_invert(b)
xp.bitwise_left_shift(i, 2)
xp.bitwise_right_shift(i, 1)
xp.logical_and(b, True)
xp.logical_or(b, ~b)
xp.logical_xor(b, False)
xp.logical_not(b)
xp.ceil(x * 3)
xp.floor(i)
xp.trunc(x * 3)
xp.round(x * 3)
xp.copysign(x, -1.0)
xp.hypot(x, p)
xp.logaddexp(x, p)
xp.maximum(x, 0.0)
xp.minimum(0.0, x)
xp.nextafter(x, xp.asarray(xp.inf, dtype=xp.float64))
xp.reciprocal(p)
xp.remainder(i, 3)
xp.floor_divide(i, -2)
xp.sign(i)
xp.signbit(x)
xp.square(i)
xp.positive(x)
xp.negative(i)
xp.abs(i)
xp.pow(p, x)
xp.pow(p, 2)
xp.pow(2.0, x)
xp.pow(i, 3)
xp.pow(i, xp.abs(j))
2 ** xp.abs(i)
xp.atan2(x, p)
xp.isfinite(x / xp.zeros_like(x))
xp.isnan(i)
xp.isinf(i)
xp.greater(x, p)
xp.greater_equal(i, 1)
xp.less(0, i)
xp.less_equal(x, x)
xp.equal(b, True)
xp.not_equal(i, j)
xp.conj(x)
xp.real(x)
xp.take(x, j[:2], axis=0)
xp.take(v, xp.asarray([0, -1, 2]))
xp.take_along_axis(x, xp.argsort(x, axis=1), axis=1)
xp.take_along_axis(v, xp.asarray([4, 0]))
xp.matmul(x, y)
xp.matmul(i, i.T)
xp.matmul(s, s[0])
xp.matmul(v, v)
xp.matmul(x, y[:, 0])
xp.matmul(s[0, 0], s)
xp.matrix_transpose(s)
s.mT
xp.tensordot(x, y, axes=1)
xp.tensordot(s, xp.permute_dims(s, (1, 2, 0)), axes=2)
xp.tensordot(x, y, axes=0)
xp.tensordot(s, s, axes=((0, -1), (0, 1)))
xp.vecdot(x, p)
xp.vecdot(s, s, axis=-2)
xp.vecdot(x, xp.asarray([1.0, 2.0, 3.0, 4.0], dtype=xp.float64))
xp.broadcast_arrays(x, xp.ones(4, dtype=xp.float64))
xp.broadcast_arrays(i, b, j)
xp.broadcast_to(j, (2, 3, 4))
xp.concat([x, p])
xp.concat((i, x), axis=1)
xp.concat([x, v], axis=None)
xp.expand_dims(x, axis=1)
xp.expand_dims(x, (0, -1))
xp.expand_dims(x, axis=-3)
xp.flip(x)
xp.flip(x, axis=-1)
xp.flip(s, axis=(0, 2))
xp.moveaxis(s, 0, -1)
xp.moveaxis(s, (0, 1), (2, 0))
xp.permute_dims(s, (2, 0, 1))
xp.permute_dims(s, (-1, 0, -2))
xp.repeat(x, 2)
xp.repeat(x, 3, axis=1)
xp.repeat(v, 0)
xp.reshape(x, (2, 6))
xp.reshape(x, (-1,), copy=True)
xp.roll(x, 2)
xp.roll(x, -1, axis=0)
xp.roll(x, (1, -2), axis=(0, 1))
xp.roll(x, 9, axis=(0, 1))
xp.squeeze(xp.expand_dims(x, 0), 0)
xp.squeeze(xp.expand_dims(x, (0, 2)), (0, 2))
xp.stack([x, p])
xp.stack((x, p), axis=-1)
xp.tile(x, (2,))
xp.tile(x, (2, 1, 3))
xp.tile(s, (1, 2))
xp.tile(v, (0,))
xp.unstack(x)
xp.unstack(s, axis=-1)
xp.argmax(x)
xp.argmax(x, axis=1, keepdims=True)
xp.argmin(i, axis=0)
xp.count_nonzero(i)
xp.count_nonzero(i, axis=1)
xp.count_nonzero(i, axis=(0, 1), keepdims=True)
xp.count_nonzero(b, axis=0)
xp.searchsorted(v, xp.asarray([0.5, 9.0, -3.0], dtype=xp.float64))
xp.searchsorted(v, x, side="right")
xp.searchsorted(v[::-1], x, sorter=xp.asarray([4, 3, 2, 1, 0]))
xp.searchsorted(v, 0.5, side="right")
xp.where(b, x, p)
xp.where(b, x, 0.0)
xp.where(b, 1, i)
xp.isin(i, j)
xp.isin(i, xp.asarray([7, 5]), invert=True)
xp.isin(i, 3)
xp.argsort(x)
xp.argsort(i, axis=0)
xp.sort(x, axis=0)
xp.sort(i)
xp.cumulative_sum(v)
xp.cumulative_sum(i, axis=1, include_initial=True)
xp.cumulative_sum(x, axis=-2)
xp.cumulative_prod(xp.astype(j, xp.int8))
xp.cumulative_prod(x, axis=0, dtype=xp.float64, include_initial=True)
xp.max(x)
xp.max(i, axis=0, keepdims=True)
xp.min(x, axis=(0, 1))
xp.mean(x, axis=1)
xp.mean(x, axis=(0, -1), keepdims=True)
xp.prod(i, axis=1)
xp.prod(xp.astype(i, xp.uint8), axis=0)
xp.std(x)
xp.std(x, axis=0, correction=1)
xp.sum(x, axis=(0, 1))
xp.sum(xp.astype(i, xp.int8), axis=0)
xp.sum(i, dtype=xp.float64, keepdims=True)
xp.var(x, axis=1, correction=1.5)
xp.var(x, axis=1, keepdims=True)
xp.all(b)
xp.all(i, axis=0, keepdims=True)
xp.any(b, axis=(0, 1))
xp.any(x, axis=1)
xp.diff(x)
xp.diff(i, axis=0, n=2)
xp.diff(v, prepend=xp.asarray([0.0, 1.0], dtype=xp.float64), append=v)
xp.diff(v, n=0)
+x
-i
abs(x)
~i
x + 1
1 + x
x - p
2 - i
x * i
3 * i
x / p
1 / p
i // 2
7 // (i * i + 1)
i % 3
-7 % (i * i + 1)
p ** 2
2.0 ** x
i & 3
3 & i
i | j
8 | i
i ^ i
5 ^ i
i << 2
1 << (i * i) % 5
i >> 1
-64 >> (i * i) % 5
x < p
x <= 0
x > p
0 >= x
i == j
i != 0
x @ y
s @ s
i.T
# xp.nonzero(i)
# xp.nonzero(b)
# xp.sort(xp.unique_values(i))
# xp.unique_counts(i)
# xp.unique_inverse(i)
# xp.unique_all(v)
# xp.repeat(v, xp.asarray([1, 0, 2, 3, 1]))
# xp.repeat(x, xp.asarray([2, 0, 1]), axis=0)
# xp.repeat(x, xp.asarray([2]), axis=0)
"""

INDICES = """
x[0]
x[-1]
x[1, 2]
x[-3, -4]
x[:]
x[1:]
x[:2, 1:3]
x[::2, ::-1]
x[::-2]
x[2:0:-1, 3:0:-2]
x[-1:-3:-1]
x[:, -2:]
x[1:1]
x[3:]
x[..., 0]
x[0, ...]
x[...]
x[None]
x[:, None, 1]
x[..., None]
x[None, 0, None, :, None]
v[2:5:2]
v[4::-3]
v[-5:5]
v[xp.asarray([3, -1, 0])]
x[xp.asarray([2, 0])]
x[xp.asarray([[2, 0], [1, -1]])]
x[:, xp.asarray([3, 0, 0])]
x[xp.asarray([2, 0]), xp.asarray([3, 1])]
x[xp.asarray([[2], [0]]), xp.asarray([3, 1])]
x[0, xp.asarray([3, 1])]
x[xp.asarray([3, 1]) - 1, 2]
s[:, xp.asarray([2, 0]), 1]
s[0, :, xp.asarray([2, 0])]
s[..., xp.asarray([1, 1])]
xp.sum(v)[...]
xp.sum(v)[()]
xp.sum(v)[None]
# x[b]
# x[x > 0]
# x[b[:, 0]]
# x[~b[:, 0], 1:]
# s[s[:, :, 0] > 0]
# x[xp.zeros((3, 4), dtype=xp.bool)]
# xp.sum(v)[xp.asarray(True)]
# x[xp.asarray(False)]
# x[xp.asarray(True)]
"""


def calls(text: str) -> list[tuple[str, bool]]:
    """Expressions, and whether they need values."""
    return [(line.removeprefix("# "), line.startswith("#")) for line in text.split("\n") if line]


def flat(y: Any) -> list[Any]:
    """The arrays of a result."""
    return [z for part in y for z in flat(part)] if isinstance(y, tuple | list) else [y]
