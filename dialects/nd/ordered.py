"""Functions of the array language that go along an axis in order: cumulative reductions, sorts, and what sorts give."""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import i1, i64

from ..errors import CompileError
from . import movement
from .array import Array
from .concatenation import concat
from .constant import full
from .cumulative import cumulative, exclusive, shifted
from .dims import Dim
from .functions import floats, logaddexp, mean, select, take_along_axis
from .promotion import asarray, fail, numeric, one_axis
from .selection import convert
from .sorting import argsort as argsort_along
from .sorting import sort as sort_along
from .types import tensor


def accumulate(kind: str, x: Any, axis: int | None = None, reverse: bool = False, exclude: bool = False) -> Array:
    """`nd.cumulative`; without an axis of the flattened array; `exclude` leaves each element itself out."""
    x = asarray(x)
    if kind in ("max", "min"):
        numeric(x)
    if axis is None:
        x, axis = movement.reshape(x, (x.size,)), 0
    at = one_axis(axis, x.ndim)
    return exclusive(kind, x, at, reverse) if exclude else cumulative(kind, x, at, reverse)


def with_initial(kind: str, x: Array, axis: int) -> Array:
    """One element more in front: what nothing gives."""
    if x.dtype == i1:
        x = convert(x, i64)
    at = one_axis(axis, x.ndim)
    first = full(1 if kind == "prod" else 0, tensor(tuple(1 if k == at else d for k, d in enumerate(x.shape)), x.dtype))
    return concat([first, cumulative(kind, x, at)], at)


def size_of_values(name: str) -> CompileError:
    return fail(
        f"{name}: expected a result whose size the shapes tell, found one that depends on the values; "
        "mask with where, or count with sum"
    )


def cumulative_logsumexp(x: Any, axis: int | None = None, reverse: bool = False) -> Array:
    """log(sum(exp(.))) of each element and those before it, by pairs at distances 1, 2, 4 ..: nothing overflows."""
    x = floats(x)
    if axis is None:
        x, axis = movement.reshape(x, (x.size,)), 0
    at = one_axis(axis, x.ndim)
    n = x.shape[at]
    if not isinstance(n, int):
        raise fail(f"expected a size that is known along axis {at} for cumulative_logsumexp, found {n}")
    by = 1
    while by < n:
        x, by = logaddexp(x, shifted(x, at, by, float("-inf"), reverse)), 2 * by
    return x


def sort(x: Any, axis: int | None = -1, descending: bool = False) -> Array:
    x, at = line(asarray(x), axis)
    return sort_along(x, at, descending)


def argsort(x: Any, axis: int | None = -1, descending: bool = False) -> Array:
    x, at = line(asarray(x), axis)
    return argsort_along(x, at, descending)


def line(x: Array, axis: int | None) -> tuple[Array, int]:
    """The array and the dimension; without an axis, the flattened array."""
    if axis is None:
        return movement.reshape(x, (x.size,)), 0
    return x, one_axis(axis, x.ndim)


def top_k(x: Any, k: int, axis: int = -1) -> tuple[Array, Array]:
    """The k largest elements in descending order, and their positions; of equal ones the first come first, NaN last."""
    x = asarray(x)
    at = one_axis(axis, x.ndim)
    n = x.shape[at]
    if k < 0 or (isinstance(n, int) and k > n):
        raise fail(f"expected k from 0 to the {n} elements along axis {at}, found {k}")
    places = part(argsort_along(x, at, True), at, 0, k)
    return take_along_axis(x, places, at), places


def part(x: Array, axis: int, start: Dim, count: Dim) -> Array:
    """Some neighbours along an axis."""
    starts: list[Dim] = [start if k == axis else 0 for k in range(x.ndim)]
    counts: list[Dim] = [count if k == axis else d for k, d in enumerate(x.shape)]
    return movement.slice_(x, starts, [1] * x.ndim, counts)


def median(x: Any, axis: int | None = None, keepdims: bool = False) -> Array:
    """The middle element, the mean of two if there are two; NaN where there is any."""
    x, at = line(floats(x), axis)
    n = x.shape[at]
    if not isinstance(n, int) or not n:
        raise fail(f"expected a size that is known and not 0 for a median along axis {at}, found {n}")
    ordered = sort_along(x, at)
    middle = mean(part(ordered, at, (n - 1) // 2, 2 - n % 2), at, keepdims=True)
    last = part(ordered, at, n - 1, 1)
    middle = select(last == last, middle, last)
    kept = tuple(d for k, d in enumerate(middle.shape) if k != at)
    return middle if keepdims else movement.reshape(middle, kept)
