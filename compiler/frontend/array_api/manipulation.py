"""Manipulation functions: elements stay, their places change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....dialects.nd import functions as F
from ....dialects.nd import promotion
from ....dialects.nd.array import Array, Axis
from ....dialects.nd.dims import Dim, Shape
from ....dialects.nd.masks import known
from ....dialects.nd.ordered import size_of_values
from ....dialects.nd.promotion import asarray, axes_of, fail, one_axis

moveaxis = F.moveaxis
concatenate = concat = F.concatenate


def reshape(x: Any, shape: Any, *, copy: bool | None = None) -> Array:
    """One size may be -1: what is left. An array never changes, so that `copy` means nothing."""
    return F.reshape(x, shape)


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape that arrays of these shapes have together."""
    return promotion.broadcast_shapes(*(F.shape_tuple(s) for s in shapes)) if shapes else ()


def broadcast_arrays(*arrays: Any) -> tuple[Array, ...]:
    """All of one shape."""
    return tuple(promotion.same_shape(*map(asarray, arrays))) if arrays else ()


def swapaxes(x: Any, axis1: int, axis2: int) -> Array:
    return F.swapaxes(asarray(x), axis1, axis2)


def pad(x: Any, pad_width: Any, constant_values: Any = 0) -> Array:
    """Constants around an array: a width, a pair, or a pair for each axis."""
    return F.pad(x, pad_width, constant_values)


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Array:
    """Each element so many times, one after the other; without an axis of the flattened array.

    A number of its own for each element has to be known while the program is built: NumPy's, or in `mlc.eager()`.
    """
    x = asarray(x)
    if axis is None:
        x, axis = F.reshape(x, (x.size,)), 0
    at = one_axis(axis, x.ndim)
    if not isinstance(repeats, int):
        counts = known(repeats)
        if counts is None:
            raise size_of_values("repeat")
        n = x.shape[at]
        if counts.dtype.kind not in "iu" or counts.ndim > 1 or (counts.size != 1 and counts.size != n):
            raise fail(f"expected one number, or {n}, of repetitions, found {counts.dtype}{list(counts.shape)}")
        if counts.size != 1:
            return F.take(x, np.repeat(np.arange(counts.size), counts), at)
        repeats = int(counts.item())
    if repeats < 0:
        raise fail(f"expected repetitions from 0 on, found {repeats}")
    before, size, after = x.shape[:at], x.shape[at], x.shape[at + 1 :]
    many = F.broadcast_to(F.expand_dims(x, at + 1), (*before, size, repeats, *after))
    return F.reshape(many, (*before, size * repeats, *after))


def tile(x: Any, repetitions: Any) -> Array:
    """The whole array so many times along each axis; missing axes and repetitions stand in front, as 1."""
    x, times = asarray(x), list(F.shape_tuple(repetitions))
    rank = max(x.ndim, len(times))
    times = [1] * (rank - len(times)) + times
    x = F.reshape(x, (*[1] * (rank - x.ndim), *x.shape))
    spread: list[Dim] = [d for n, size in zip(times, x.shape, strict=True) for d in (n, size)]
    apart: list[Dim] = [d for size in x.shape for d in (1, size)]
    out: Shape = tuple(n * size for n, size in zip(times, x.shape, strict=True))
    return F.reshape(F.broadcast_to(F.reshape(x, tuple(apart)), tuple(spread)), out)


def roll(x: Any, shift: int | Sequence[int], axis: Axis = None) -> Array:
    """Moved along axes, what leaves at the end comes in at the beginning; without an axis of the flattened array."""
    x = asarray(x)
    if axis is None:
        if not isinstance(shift, int):
            raise fail(f"expected an axis for each of the shifts {list(shift)}, found none")
        return F.reshape(_rolled(F.reshape(x, (x.size,)), shift, 0), x.shape)
    axes = [one_axis(a, x.ndim) for a in ([axis] if isinstance(axis, int) else axis)]
    shifts = [shift] * len(axes) if isinstance(shift, int) else list(shift)
    if len(shifts) != len(axes):
        raise fail(f"expected as many shifts as axes, found {len(shifts)} and {len(axes)}")
    for by, at in zip(shifts, axes, strict=True):
        x = _rolled(x, by, at)
    return x


def _rolled(x: Array, by: int, at: int) -> Array:
    n = x.shape[at]
    if isinstance(n, int):
        by = by % n if n else 0
    if not by:
        return x
    cut = [slice(None)] * at
    return F.concatenate([x[(*cut, slice(-by, None))], x[(*cut, slice(None, -by))]], at)


def unstack(x: Any, *, axis: int = 0) -> tuple[Array, ...]:
    """The slices along an axis."""
    x = asarray(x)
    at = axes_of(x, axis)[0]
    n = x.shape[at]
    if not isinstance(n, int):
        raise fail(f"expected a size that is known along axis {at} of {x.type}, found {n}")
    return tuple(x[(*[slice(None)] * at, k)] for k in range(n))


__all__ = [
    "broadcast_arrays",
    "broadcast_shapes",
    "concat",
    "concatenate",
    "moveaxis",
    "pad",
    "repeat",
    "reshape",
    "roll",
    "swapaxes",
    "tile",
    "unstack",
]
