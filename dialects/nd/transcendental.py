"""Elementwise exponentials, logarithms, trigonometric and hyperbolic functions and their inverses, over floats.

Zeros, infinities, NaN and the limits of the domain give what C's functions of the same names give.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .elementwise import Binary, Exp, Np, Rsqrt, Unary, full_like, precise, ulp, where, wide
from .op import Array, Partial, bind, op
from .types import ANALYTIC, FLOAT, is_complex

LN2, LN10 = math.log(2), math.log(10)
TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)

# Powers and logarithms.


@op("exp2", flops=12, tolerance=ulp(2), dtypes=ANALYTIC)
class Exp2(Unary):
    def reference(self, x: Np) -> Np:
        return np.exp2(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [LN2 * y]


@op("expm1", flops=15, tolerance=ulp(3), dtypes=ANALYTIC)
class Expm1(Unary):
    """exp(x) - 1, exact to the last places near 0 too."""

    def reference(self, x: Np) -> Np:
        return (np.expm1(wide(x)) if x.dtype.kind != "c" else expm1_elements(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [y + 1]


@op("log1p", flops=15, tolerance=ulp(3), dtypes=ANALYTIC)
class Log1p(Unary):
    """log(1 + x), exact to the last places near 0 too."""

    def reference(self, x: Np) -> Np:
        return (np.log1p(wide(x)) if x.dtype.kind != "c" else log1p_elements(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [1 / (1 + x)]


@op("log2", flops=12, tolerance=ulp(2), dtypes=ANALYTIC)
class Log2(Unary):
    def reference(self, x: Np) -> Np:
        return np.log2(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [(1 / LN2) / x]


@op("log10", flops=12, tolerance=ulp(2), dtypes=ANALYTIC)
class Log10(Unary):
    def reference(self, x: Np) -> Np:
        return np.log10(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [(1 / LN10) / x]


@op("cbrt", flops=12, tolerance=ulp(2), dtypes=ANALYTIC)
class Cbrt(Unary):
    """The cube root, of negative numbers too; of a complex number the one whose angle is a third."""

    def reference(self, x: Np) -> Np:
        return (np.cbrt(wide(x)) if x.dtype.kind != "c" else np.power(precise(x), 1 / np.longdouble(3))).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [(1 / 3) / (y * y)]


@op("hypot", flops=8, tolerance=ulp(2), dtypes=FLOAT)
class Hypot(Binary):
    """sqrt(x^2 + y^2), whatever the squares' range; infinite where an operand is, even beside NaN."""

    def reference(self, x: Np, y: Np) -> Np:
        return np.hypot(wide(x), wide(y)).astype(x.dtype)

    def derivative(self, x: Array, y: Array, z: Array) -> Sequence[Partial]:
        safe = where(z == 0, 1.0, z)  # at the origin 0, the middle of the subgradients
        return [lambda: x / safe, lambda: y / safe]


@op("erf", flops=15, tolerance=ulp(3), dtypes=FLOAT)
class Erf(Unary):
    """2/sqrt(pi) times the integral of exp(-t^2) from 0 to x."""

    def reference(self, x: Np) -> Np:
        return erf_elements(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [TWO_OVER_ROOT_PI * bind(Exp, -(x * x))]


def expm1_elements(x: Np) -> Np:
    """Of complex numbers: exp(z) - 1 where z is not finite, where NumPy's gives NaN too often."""
    return np.where(np.isfinite(x), np.expm1(precise(x)), np.exp(wide(x)) - 1)


def log1p_elements(x: Np) -> Np:
    """Of complex numbers: log|1 + z| = log1p(x (2 + x) + y^2) / 2 where z is small."""
    re, im = np.real(precise(x)), np.imag(precise(x))
    small = np.hypot(re, im) < 0.5
    near = np.where(small, re * (2 + re) + im * im, 0)
    size = np.where(small, np.log1p(near) / 2, np.log(np.hypot(1 + re, im)))
    out = np.empty(x.shape, precise(x).dtype)
    out.real, out.imag = size, np.arctan2(im, 1 + re)
    return out


def erf_elements(x: Np) -> Np:
    return np.fromiter(map(math.erf, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)


# Trigonometry.


@op("tan", flops=20, tolerance=ulp(3), dtypes=ANALYTIC)
class Tan(Unary):
    def reference(self, x: Np) -> Np:
        return np.tan(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [1 + y * y]


@op("asin", flops=20, tolerance=ulp(3), dtypes=ANALYTIC)
class Asin(Unary):
    """In [-pi/2, pi/2]; NaN beyond 1."""

    def reference(self, x: Np) -> Np:
        return np.arcsin(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [bind(Rsqrt, (1 - x) * (1 + x))]


@op("acos", flops=20, tolerance=ulp(3), dtypes=ANALYTIC)
class Acos(Unary):
    """In [0, pi]; NaN beyond 1."""

    def reference(self, x: Np) -> Np:
        return np.arccos(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [-bind(Rsqrt, (1 - x) * (1 + x))]


@op("atan", flops=20, tolerance=ulp(3), dtypes=ANALYTIC)
class Atan(Unary):
    """In [-pi/2, pi/2]."""

    def reference(self, x: Np) -> Np:
        return np.arctan(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [1 / (1 + x * x)]


@op("atan2", flops=25, tolerance=ulp(3), dtypes=FLOAT)
class Atan2(Binary):
    """The angle of the point (y, x), in [-pi, pi]: the first operand is the ordinate, as everywhere.

    Zeros count with their sign; the derivative at the origin is 0.
    """

    def reference(self, x: Np, y: Np) -> Np:
        return np.arctan2(wide(x), wide(y)).astype(x.dtype)

    def derivative(self, x: Array, y: Array, z: Array) -> Sequence[Partial]:
        # y/r / r and -x/r / r: the squares may be out of range
        r = bind(Hypot, x, y)
        safe = where(r == 0, 1.0, r)
        return [lambda: y / safe / safe, lambda: -(x / safe) / safe]


# Hyperbolic functions.


@op("sinh", flops=20, tolerance=ulp(3), dtypes=ANALYTIC)
class Sinh(Unary):
    def reference(self, x: Np) -> Np:
        return np.sinh(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [bind(Cosh, x)]


@op("cosh", flops=20, tolerance=ulp(3), dtypes=ANALYTIC)
class Cosh(Unary):
    def reference(self, x: Np) -> Np:
        return np.cosh(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [bind(Sinh, x)]


@op("asinh", flops=25, tolerance=ulp(3), dtypes=ANALYTIC)
class Asinh(Unary):
    def reference(self, x: Np) -> Np:
        return np.arcsinh(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [bind(Rsqrt, 1 + x * x) if is_complex(x.type) else 1 / bind(Hypot, x, full_like(x, 1.0))]


@op("acosh", flops=25, tolerance=ulp(3), dtypes=ANALYTIC)
class Acosh(Unary):
    """At least 0; NaN below 1."""

    def reference(self, x: Np) -> Np:
        return np.arccosh(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [bind(Rsqrt, x - 1) * bind(Rsqrt, x + 1)]


@op("atanh", flops=25, tolerance=ulp(3), dtypes=ANALYTIC)
class Atanh(Unary):
    """Infinite at 1 and -1; NaN beyond."""

    def reference(self, x: Np) -> Np:
        return np.arctanh(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [1 / ((1 - x) * (1 + x))]
