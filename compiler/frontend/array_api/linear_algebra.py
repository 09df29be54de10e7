"""Products and transposes of the main namespace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....dialects.nd import functions as F
from ....dialects.nd.array import Array
from ....dialects.nd.promotion import asarray, axes_of, fail, one_axis

matrix_transpose = F.matrix_transpose


def dot(x: Any, y: Any) -> Array:
    """NumPy's dot of arrays of at most two dimensions."""
    x, y = asarray(x), asarray(y)
    return x * y if not x.ndim or not y.ndim else F.matmul(x, y)


def outer(x: Any, y: Any) -> Array:
    """`x[i] * y[j]`, of arrays as vectors."""
    return F.reshape(asarray(x), (-1, 1)) * F.reshape(asarray(y), (1, -1))


def tensordot(x: Any, y: Any, axes: int | Sequence[Sequence[int]] = 2) -> Array:
    """Sum of products over the last `axes` axes of x and the first of y, or over the pairs of axes given."""
    x, y = asarray(x), asarray(y)
    if isinstance(axes, int):
        if not 0 <= axes <= min(x.ndim, y.ndim):
            raise fail(f"expected from 0 to {min(x.ndim, y.ndim)} axes of {x.type} and {y.type}, found {axes}")
        axes = (range(x.ndim - axes, x.ndim), range(axes))
    left, right = ([one_axis(a, v.ndim) for a in part] for v, part in zip((x, y), axes, strict=True))
    for a, b in zip(left, right, strict=True):
        if x.shape[a] != y.shape[b]:
            raise fail(f"expected equal sizes to sum over, found {x.type} in axis {a} and {y.type} in axis {b}")
    letters = iter("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    xs = [next(letters) for _ in range(x.ndim)]
    ys = [xs[left[right.index(k)]] if k in right else next(letters) for k in range(y.ndim)]
    out = [n for k, n in enumerate(xs) if k not in left] + [n for k, n in enumerate(ys) if k not in right]
    return F.einsum(f"{''.join(xs)},{''.join(ys)}->{''.join(out)}", x, y)


def vecdot(x: Any, y: Any, *, axis: int = -1) -> Array:
    """The sum of `conj(x) * y` over an axis of both, counted from the last; other axes broadcast."""
    x, y = asarray(x), asarray(y)
    least = min(x.ndim, y.ndim)
    if not -least <= axis < 0:
        x_at, y_at = axes_of(x, axis)[0], axes_of(y, axis)[0]
        if x.ndim != y.ndim:
            raise fail(f"expected an axis from {-least} to -1 for {x.type} and {y.type}, found {axis}")
    else:
        x_at, y_at = x.ndim + axis, y.ndim + axis
    if x.shape[x_at] != y.shape[y_at]:
        raise fail(f"expected equal sizes in axis {axis}, found {x.type} and {y.type}")
    x, y = F.moveaxis(x, x_at, -1), F.moveaxis(y, y_at, -1)
    row, column = F.expand_dims(F.conj(x), -2), F.expand_dims(y, -1)
    return F.squeeze(F.matmul(row, column), (-2, -1))


__all__ = ["dot", "matrix_transpose", "outer", "tensordot", "vecdot"]
