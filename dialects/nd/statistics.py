"""Functions of the array language that sum up an axis by more than one reduction, or by where its extremum stands."""

from __future__ import annotations

from typing import Any

from . import movement
from .array import Array, Axis
from .composite import Mean, Variance
from .functions import kept
from .indexing import Argmax, Argmin
from .mapped import without
from .op import bind
from .promotion import asarray, axes_of, floats, one_axis


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    x = floats(x)
    axes = axes_of(x, axis)
    return kept(bind(Mean, x, map=without(x.ndim, tuple(axes))) if axes else x, x, axes, keepdims)


def variance(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    x = floats(x)
    axes = axes_of(x, axis)
    return kept(bind(Variance, x, map=without(x.ndim, tuple(axes))), x, axes, keepdims)


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Array:
    return _arg(Argmax, asarray(x), axis, keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Array:
    return _arg(Argmin, asarray(x), axis, keepdims)


def _arg(cls: type[Argmax] | type[Argmin], x: Array, axis: int | None, keepdims: bool) -> Array:
    if axis is None:  # the position in the flattened array
        flat = bind(cls, movement.reshape(x, (x.size,)), map=without(1, (0,)))
        return kept(flat, x, range(x.ndim), keepdims)
    at = one_axis(axis, x.ndim)
    return kept(bind(cls, x, map=without(x.ndim, (at,))), x, [at], keepdims)
