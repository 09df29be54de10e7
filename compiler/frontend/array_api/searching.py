"""Searching functions: where something stands."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ....dialects.errors import CompileError
from ....dialects.nd import functions as F
from ....dialects.nd.array import Array, Axis
from ....dialects.nd.masks import known
from ....dialects.nd.op import here
from ....dialects.nd.promotion import asarray, fail


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Array:
    """The place of the first maximum, i64; NaN counts as the largest."""
    return F.argmax(asarray(x), axis, keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Array:
    """The place of the first minimum, i64; NaN counts as the smallest."""
    return F.argmin(asarray(x), axis, keepdims)


def count_nonzero(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    """How many elements are not 0, i64; NaN is not."""
    return F.sum_(F.truth(asarray(x)), axis, keepdims)


def nonzero(x: Any) -> tuple[Array, ...]:
    """The places of what is not 0, in each dimension, i64, in `mlc.eager()` or of NumPy arrays; in a trace how many
    there are is not known."""
    found = known(x)
    if found is None:
        raise CompileError(
            "nonzero: the size of the result is not known while the program is built; use where(x, y, 0), or "
            "argsort of x == 0 for the positions of those that are not 0 in front",
            here(),
        )
    if not found.ndim:
        raise fail(f"nonzero: expected an array of at least one dimension, found {asarray(x).type}")
    return tuple(asarray(i.astype(np.int64)) for i in np.nonzero(found))


def searchsorted(x: Any, v: Any, side: Literal["left", "right"] = "left", sorter: Any = None) -> Array:
    """Where each of v would stand in the sorted vector x: in front of its equals, or (`right`) behind; i64. `sorter`
    holds the places that sort x, if it is not sorted."""
    return F.searchsorted(x if sorter is None else F.take(x, sorter, 0), v, side)


__all__ = ["argmax", "argmin", "count_nonzero", "nonzero", "searchsorted"]
