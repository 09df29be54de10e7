"""Statistical and utility functions: reductions, running totals, differences."""

from __future__ import annotations

from typing import Any

from ....dialects.errors import CompileError
from ....dialects.nd import functions as F
from ....dialects.nd import ordered
from ....dialects.nd.array import Array, Axis
from ....dialects.nd.constant import size_value
from ....dialects.nd.dims import size
from ....dialects.nd.op import here
from ....dialects.nd.promotion import asarray, axes_of, fail, numeric, one_axis


def sum(x: Any, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Array:
    """Integers are added in 64 bits, unless `dtype` says otherwise."""
    return F.sum_(asarray(x), axis, keepdims, dtype)


def prod(x: Any, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Array:
    """Integers are multiplied in 64 bits, unless `dtype` says otherwise."""
    return F.prod(asarray(x), axis, keepdims, dtype)


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return F.max_(asarray(x), axis, keepdims)


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return F.min_(asarray(x), axis, keepdims)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return F.mean(asarray(x), axis, keepdims)


def var(x: Any, axis: Axis = None, keepdims: bool = False, correction: float = 0.0) -> Array:
    """The sum of the squares of the distances from the mean by `n - correction`; NaN where that is not above 0."""
    x = F.floats(x)
    y = F.variance(x, axis, keepdims)
    if not correction:
        return y
    n = size(x.shape[k] for k in axes_of(x, axis))
    if isinstance(n, int):
        return y * (n / (n - correction) if n > correction else float("nan"))
    count = size_value(n, x.dtype)
    return y * F.where(count > correction, count / (count - correction), float("nan"))


def std(x: Any, axis: Axis = None, keepdims: bool = False, correction: float = 0.0) -> Array:
    """The square root of the variance."""
    return F.sqrt(var(x, axis, keepdims, correction))


def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return F.any_(asarray(x), axis, keepdims)


def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return F.all_(asarray(x), axis, keepdims)


def median(x: Any, axis: int | None = None, keepdims: bool = False) -> Array:
    """The middle element, or the mean of both; NaN where there is one."""
    return ordered.median(x, axis, keepdims)


def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Array:
    """Each element less the one before it, n times; with others in front and behind."""
    x = numeric(asarray(x))
    at = one_axis(axis, x.ndim)
    if n < 0:
        raise fail(f"expected differences from 0 times on, found {n}")
    around = [x if v is None else _beside(v, x, at) for v in (prepend, x, append)]
    x = F.concatenate([v for v, given in zip(around, (prepend, x, append), strict=True) if given is not None], at)
    before = [slice(None)] * at
    for _ in range(n):
        x = x[(*before, slice(1, None))] - x[(*before, slice(None, -1))]
    return x


def _beside(v: Any, x: Array, at: int) -> Array:
    """NumPy takes a number too, for one place."""
    v = asarray(v, x.dtype)
    return v if v.ndim else F.broadcast_to(v, tuple(1 if k == at else d for k, d in enumerate(x.shape)))


def cumsum(x: Any, axis: int | None = None, reverse: bool = False, exclusive: bool = False) -> Array:
    """Sums of each element and those before it, added in that order; without an axis, of the flattened array.

    `reverse` adds from the end, `exclusive` leaves the element itself out.
    """
    return ordered.accumulate("sum", F.counted(x), axis, reverse, exclusive)


def cumprod(x: Any, axis: int | None = None, reverse: bool = False, exclusive: bool = False) -> Array:
    """As `cumsum`, products."""
    return ordered.accumulate("prod", F.counted(x), axis, reverse, exclusive)


def cummax(x: Any, axis: int | None = None, reverse: bool = False) -> Array:
    """The largest so far; its gradient goes to the latest element that attains it."""
    return ordered.accumulate("max", x, axis, reverse)


def cummin(x: Any, axis: int | None = None, reverse: bool = False) -> Array:
    """The smallest so far."""
    return ordered.accumulate("min", x, axis, reverse)


cumulative_max, cumulative_min = cummax, cummin


def cumulative_sum(x: Any, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Array:
    """The Array API's: `include_initial` puts the sum of nothing in front."""
    return _cumulative("sum", x, axis, dtype, include_initial)


def cumulative_prod(x: Any, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Array:
    """The Array API's: `include_initial` puts the product of nothing in front."""
    return _cumulative("prod", x, axis, dtype, include_initial)


def _cumulative(kind: str, x: Any, axis: int | None, dtype: Any, initial: bool) -> Array:
    x = F.counted(x, dtype)
    if axis is None and x.ndim != 1:
        raise CompileError(f"expected an axis for an array of {x.ndim} dimensions, found none", here())
    return ordered.with_initial(kind, x, 0 if axis is None else axis) if initial else ordered.accumulate(kind, x, axis)


def cumulative_logsumexp(x: Any, axis: int | None = None, reverse: bool = False) -> Array:
    """log(sum(exp(.))) of each element and those before it."""
    return ordered.cumulative_logsumexp(x, axis, reverse)


__all__ = [
    "all",
    "any",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "cumulative_logsumexp",
    "cumulative_max",
    "cumulative_min",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "max",
    "mean",
    "median",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]
