"""Functions of the array language over special.py, precision.py and zeta.py, and some made of them."""

from __future__ import annotations

import math
from typing import Any

from . import precision
from .array import Array
from .elementwise import Abs, Exp, Floor, full_like, where
from .functions import compare, exp
from .op import bind
from .promotion import asarray, floats, promote
from .scalar_functions import rem
from .special import BesselI0e, BesselI1e, Digamma, Erfc, ErfInv, Lgamma
from .types import is_float
from .zeta import Zeta


def erfc(x: Any) -> Array:
    return bind(Erfc, floats(x))


def erf_inv(x: Any) -> Array:
    return bind(ErfInv, floats(x))


def lgamma(x: Any) -> Array:
    return bind(Lgamma, floats(x))


def digamma(x: Any) -> Array:
    return bind(Digamma, floats(x))


def bessel_i0e(x: Any) -> Array:
    return bind(BesselI0e, floats(x))


def bessel_i1e(x: Any) -> Array:
    return bind(BesselI1e, floats(x))


def bessel_i0(x: Any) -> Array:
    x = floats(x)
    return exp(bind(Abs, x)) * bind(BesselI0e, x)


def bessel_i1(x: Any) -> Array:
    x = floats(x)
    return exp(bind(Abs, x)) * bind(BesselI1e, x)


def zeta(s: Any, q: Any) -> Array:
    s, q = promote(floats(s), floats(q))
    return bind(Zeta, s, q)


def polygamma(n: Any, x: Any) -> Array:
    """The derivative of order n of digamma: (-1)^(n + 1) n! zeta(n + 1, x); NaN unless n is whole and at least 0."""
    n, x = promote(floats(n), floats(x))
    sign = where(rem(n, 2.0) == 0, -1.0, full_like(n, 1.0))
    higher = sign * bind(Exp, bind(Lgamma, n + 1.0)) * bind(Zeta, n + 1.0, x)
    out = where(n == 0, bind(Digamma, x), higher)
    return where((n < 0) | (n != bind(Floor, n)), math.nan, out)


def next_after(x: Any, y: Any) -> Array:
    x, y = promote(x, y)
    return bind(precision.NextAfter, floats(x), floats(y))


def reduce_precision(x: Any, exponent_bits: int, mantissa_bits: int) -> Array:
    return precision.reduce_precision(floats(x), exponent_bits, mantissa_bits)


def is_pos_inf(x: Any) -> Array:
    x = asarray(x)
    return compare("eq", x, math.inf) if is_float(x.dtype) else compare("ne", x, x)


def is_neg_inf(x: Any) -> Array:
    x = asarray(x)
    return compare("eq", x, -math.inf) if is_float(x.dtype) else compare("ne", x, x)
