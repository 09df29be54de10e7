"""`mlc.special`: functions of gamma, error and Bessel type, over floats, elementwise.

    y = mlc.special.lgamma(x)

Those that are ops of `nd` have derivatives of every order (`zeta` and `polygamma` in x through their series;
`next_after` has none). `gammainc` and `gammaincc` are loops that end when no element moves any more: they are
differentiated in forward mode only.
"""

from __future__ import annotations

from typing import Any

from ...dialects.nd import functions as F
from ...dialects.nd import loops
from ...dialects.nd.array import Array
from ...dialects.nd.promotion import broadcast_shapes, promote
from ...dialects.nd.types import NUMPY, finfo
from . import locations as _locations  # names the user's frame in errors

assert _locations

bessel_i0 = F.bessel_i0
bessel_i0e = F.bessel_i0e
bessel_i1 = F.bessel_i1
bessel_i1e = F.bessel_i1e
digamma = F.digamma
erf = F.erf
erf_inv = F.erf_inv
erfc = F.erfc
lgamma = F.lgamma
next_after = F.next_after
polygamma = F.polygamma
zeta = F.zeta

STEPS = 2000
"""Terms at most; the series needs about the root of a beyond 30."""


def gammainc(a: Any, x: Any) -> Array:
    """The regularized lower incomplete gamma function P(a, x); NaN unless a > 0 and x >= 0."""
    return _incomplete(a, x, False)


def gammaincc(a: Any, x: Any) -> Array:
    """The upper one, Q(a, x) = 1 - P(a, x), without cancellation where it is small."""
    return _incomplete(a, x, True)


def _incomplete(a: Any, x: Any, upper: bool) -> Array:
    """Abramowitz and Stegun, 6.5.29 up to a + 1, beyond it the continued fraction 6.5.31 by Lentz's method."""
    a, x = promote(F.floats(a), F.floats(x))
    shape = broadcast_shapes(a.shape, x.shape)
    a, x = F.broadcast_to(a, shape), F.broadcast_to(x, shape)
    wrong = F.logical_or(F.logical_or(a <= 0, x < 0), F.logical_or(a != a, x != x))
    a, x = F.where(wrong, 1.0, a), F.where(wrong, 1.0, x)
    ends, near = F.logical_or(x == 0, x == float("inf")), x < a + 1.0
    inner = F.where(ends, 1.0, x)
    factor = F.exp(a * F.log(inner) - inner - F.lgamma(a))
    lower = factor * _series(a, F.where(near, inner, a))
    higher = factor * _fraction(a, F.where(near, a + 2.0, inner))
    if upper:
        out = F.where(near, 1.0 - lower, higher)
        out = F.where(x == 0, 1.0, F.where(ends, 0.0, out))
    else:
        out = F.where(near, lower, 1.0 - higher)
        out = F.where(x == 0, 0.0, F.where(ends, 1.0, out))
    return F.where(wrong, float("nan"), out)


def _series(a: Array, x: Array) -> Array:
    """The sum of x^n / (a (a + 1) ... (a + n))."""
    least = float(finfo(NUMPY[a.dtype]).eps) / 2

    def left(a: Array, x: Array, term: Array, total: Array, n: Array) -> Array:
        return F.logical_and(F.max_(n) < STEPS, F.any_(term > total * least))

    def step(a: Array, x: Array, term: Array, total: Array, n: Array) -> list[Array]:
        term = term * (x / (a + n))
        return [a, x, term, total + term, n + 1.0]

    first = 1.0 / a
    return loops.as_long_as(left, step, [a, x, first, first, F.ones((), a.dtype)])[3]


def _fraction(a: Array, x: Array) -> Array:
    """1 / (x + 1 - a - 1 (1 - a) / (x + 3 - a - 2 (2 - a) / (x + 5 - a - ...)))"""
    least = float(finfo(NUMPY[a.dtype]).eps)
    tiny = float(finfo(NUMPY[a.dtype]).tiny) / least

    def left(a: Array, b: Array, c: Array, d: Array, h: Array, change: Array, n: Array) -> Array:
        return F.logical_and(F.max_(n) < STEPS, F.any_(F.abs_(change - 1.0) > least))

    def step(a: Array, b: Array, c: Array, d: Array, h: Array, change: Array, n: Array) -> list[Array]:
        top = n * (a - n)
        b = b + 2.0
        d, c = top * d + b, b + top / c
        d, c = (F.where(F.abs_(v) < tiny, tiny, v) for v in (d, c))
        d = 1.0 / d
        change = d * c
        return [a, b, c, d, h * change, change, n + 1.0]

    b = x + 1.0 - a
    first = 1.0 / b
    start = [a, b, F.ones_like(a) / tiny, first, first, F.zeros_like(a), F.ones((), a.dtype)]
    return loops.as_long_as(left, step, start)[4]


__all__ = [
    "bessel_i0",
    "bessel_i0e",
    "bessel_i1",
    "bessel_i1e",
    "digamma",
    "erf",
    "erf_inv",
    "erfc",
    "gammainc",
    "gammaincc",
    "lgamma",
    "next_after",
    "polygamma",
    "zeta",
]
