"""Special functions: the complement of erf and the inverse of erf, gamma functions, Bessel functions, over floats.

They are composites of published approximations, those that JAX uses, in the element type's own arithmetic (f32 for
narrower ones), so that results agree with its own. Where an approximation loses digits by cancellation, near the zeros
of the gamma functions, so do these: the error allowed is relative to the terms. References are of other origin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import f32

from . import special_tables as tables
from .bits import bitcast
from .composite import Composite
from .elementwise import Abs, Cos, Exp, Floor, Log, Max, Np, Sign, Sin, Sqrt, Unary, full_like, where, wide
from .op import Array, Partial, Tolerance, bind, op
from .polynomial import chebyshev, polynomial
from .special_values import bessel_values, digamma_values, each, erf_inv_values, lgamma_values
from .transcendental import TWO_OVER_ROOT_PI, Log1p
from .types import FLOAT, ui32, ui64

# The error function's complement and inverse.


@op("erfc", flops=60, tolerance=Tolerance(ulp=6), dtypes=FLOAT)
class Erfc(Unary, Composite):
    """1 - erf(x), exact to the last places where erf is near 1, too."""

    def decompose(self, x: Array) -> Array:
        a = bind(Abs, x)
        small = a < 1.0
        # erf x = x (1 + t(x^2)): 1 - x has no error where digits are lost
        near = (1.0 - x) - x * near_factor(x)
        far = upper_tail(where(small, 1.0, a))
        return where(small, near, where(x < 0, 2.0 - far, far))

    def reference(self, x: Np) -> Np:
        return each(math.erfc, wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [-TWO_OVER_ROOT_PI * bind(Exp, -(x * x))]


def near_factor(x: Array) -> Array:
    """erf(x) / x - 1 up to 1."""
    square = x * x
    if x.dtype == f32:
        return polynomial(square, tables.ERF_NEAR_F32)
    return polynomial(square, tables.ERF_NEAR_P) / polynomial(square, tables.ERF_NEAR_Q)


def upper_tail(a: Array) -> Array:
    """erfc(a) = exp(-a^2) r(a) from 1 on."""
    decay = exp_minus_square(a)
    if a.dtype == f32:
        inverse = 1.0 / a
        u = inverse * inverse
        r = where(a < 2.0, polynomial(u, tables.ERFC_F32_TO_2), polynomial(u, tables.ERFC_F32_FROM_2)) * inverse
        return where(a > 10.5, 0.0, decay * r)
    limited = where(a < 28.0, a, 28.0)  # powers of more overflow
    to_8 = polynomial(limited, tables.ERFC_P) / polynomial(limited, tables.ERFC_Q)
    from_8 = polynomial(limited, tables.ERFC_R) / polynomial(limited, tables.ERFC_S)
    return where(a != a, a, where(a > 28.0, 0.0, decay * where(a < 8.0, to_8, from_8)))


def exp_minus_square(a: Array) -> Array:
    """exp(-a^2) for a from 0 to 28, without the rounding of the square: a = h + l, h^2 exact, and
    a^2 = h^2 + (a - h) (a + h)."""
    word, mask = (ui32, 0xFFFFF000) if a.dtype == f32 else (ui64, 0xFFFFFFFFF8000000)
    h = bitcast(bitcast(a, word) & mask, a.dtype)
    rest = (h - a) * (h + a)
    return bind(Exp, -(h * h)) * polynomial(rest, [1 / math.factorial(k) for k in range(7)])


@op("erf_inv", flops=60, tolerance=Tolerance(ulp=8, sums=4), dtypes=FLOAT)
class ErfInv(Unary, Composite):
    """The y with erf(y) = x; infinite at -1 and 1, NaN beyond.

    M. Giles, Approximating the erfinv function (GPU Computing Gems, 2012): polynomials in w = -log(1 - x^2).
    """

    def decompose(self, x: Array) -> Array:
        w = -bind(Log1p, -(x * x))
        root = bind(Sqrt, w)
        if x.dtype == f32:
            small, large = polynomial(w - 2.5, tables.INVERSE_F32), polynomial(root - 3.0, tables.INVERSE_F32_FROM_5)
            factor = where(w < 5.0, small, large)
        else:
            middle = polynomial(root - 3.25, tables.INVERSE_TO_16)
            large = polynomial(root - 5.0, tables.INVERSE_FROM_16)
            small = polynomial(w - 3.125, tables.INVERSE_TO_625)
            factor = where(w < 6.25, small, where(w < 16.0, middle, large))
        return where(bind(Abs, x) == 1.0, x * math.inf, factor * x)

    def reference(self, x: Np) -> Np:
        return erf_inv_values(wide(x)).astype(x.dtype)

    def magnitude(self, x: Np) -> Any:
        y = erf_inv_values(wide(x))  # the slope times x: the square's rounding
        return np.abs(x / TWO_OVER_ROOT_PI * np.exp(y * y))

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [(1 / TWO_OVER_ROOT_PI) * bind(Exp, y * y)]


# Gamma functions, by C. Lanczos, A Precision Approximation of the Gamma Function (SIAM J. Numer. Anal. B 1, 1964), with
# g = 7 and nine coefficients: gamma(z + 1) = sqrt(2 pi) t^(z + 1/2) exp(-t) a(z), t = z + g + 1/2, and
# a(z) = c_0 + sum of c_k / (z + k). Below 1/2 Euler's reflection, gamma(x) gamma(1 - x) = pi / sin(pi x).

T0 = tables.LANCZOS_G + 0.5


def reflected(x: Array) -> tuple[Array, Array]:
    """Is x below 1/2, and the z of the formula: x - 1, or -x there."""
    below = x < 0.5
    return below, where(below, -x, x - 1.0)


def log_t(z: Array) -> Array:
    return math.log(T0) + bind(Log1p, z / T0)


@op("lgamma", flops=120, tolerance=Tolerance(ulp=4, sums=8), dtypes=FLOAT)
class Lgamma(Unary, Composite):
    """log |gamma(x)|; infinite at 0 and the negative integers."""

    def decompose(self, x: Array) -> Array:
        below, z = reflected(x)
        a = full_like(x, tables.LANCZOS[0])
        for k, c in enumerate(tables.LANCZOS[1:], 1):
            a = a + c / (z + k)
        t, log = z + T0, log_t(z)
        # (z + 1/2) log t - t, without overflow
        upper = 0.5 * math.log(2 * math.pi) + (z + 0.5 - t / log) * log + bind(Log, a)
        magnitude = bind(Abs, x)
        fraction = magnitude - bind(Floor, magnitude)
        fraction = where(fraction > 0.5, 1.0 - fraction, fraction)
        sine = bind(Log, bind(Sin, math.pi * fraction))
        lower = where(sine == -math.inf, math.inf, math.log(math.pi) - sine - upper)
        return where(magnitude == math.inf, math.inf, where(below, lower, upper))

    def reference(self, x: Np) -> Np:
        return lgamma_values(wide(x)).astype(x.dtype)

    def magnitude(self, x: Np) -> Any:
        v = wide(x)
        above = np.where(v < 0.5, 1 - v, v)
        return 16 + np.abs(lgamma_values(v)) + 2 * np.abs(lgamma_values(above))

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [bind(Digamma, x)]


@op("digamma", flops=120, tolerance=Tolerance(ulp=4, sums=8), dtypes=FLOAT)
class Digamma(Unary, Composite):
    """gamma'(x) / gamma(x); -infinity at 0, NaN at the negative integers."""

    def decompose(self, x: Array) -> Array:
        # log t + a'(z) / a(z) - g / t, and psi(x) = psi(1 - x) - pi / tan(pi x)
        below, z = reflected(x)
        a, slope = full_like(x, tables.LANCZOS[0]), full_like(x, 0.0)
        for k, c in enumerate(tables.LANCZOS[1:], 1):
            shifted = z + k
            a = a + c / shifted
            slope = slope + c / (shifted * shifted)
        upper = log_t(z) - slope / a - tables.LANCZOS_G / (z + T0)
        lower = upper - math.pi * cotangent(x)
        whole = (x < 0) & (x == bind(Floor, x))
        return where(x == 0, -math.inf, where(whole, math.nan, where(below, lower, upper)))

    def reference(self, x: Np) -> Np:
        return digamma_values(wide(x)).astype(x.dtype)

    def magnitude(self, x: Np) -> Any:
        v = wide(x)
        above = np.where(v < 0.5, 1 - v, v)
        # the angle of the reflection is rounded: the slope of the cotangent times it
        angle = np.pi * (v - np.floor(v + 0.5))
        steep = np.where(v < 0.5, np.abs(angle) * (np.pi / np.sin(angle) ** 2), 0)
        return 4 + np.abs(digamma_values(v)) + np.abs(digamma_values(above)) + np.nan_to_num(steep, posinf=0)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [lambda: trigamma(x)]


def half_period(x: Array) -> Array:
    """pi (x - n) for the whole n nearest to x."""
    return math.pi * (x - bind(Floor, x + 0.5))


def cotangent(x: Array) -> Array:
    """1 / tan(pi x)"""
    angle = half_period(x)
    return bind(Cos, angle) / bind(Sin, angle)


def trigamma(x: Array) -> Array:
    """psi'(x) = zeta(2, x), and psi'(x) + psi'(1 - x) = (pi / sin(pi x))^2."""
    from .zeta import Zeta

    below = x < 0.5
    upper = bind(Zeta, full_like(x, 2.0), where(below, 1.0 - x, x))
    ratio = math.pi / bind(Sin, half_period(x))
    return where(below, ratio * ratio - upper, upper)


# Modified Bessel functions of the first kind, times exp(-|x|) (S. Moshier, Cephes): Chebyshev series in x/4 - 1 up to 8
# and, of the function times sqrt(x), in 16/x - 1 from there on.


def scaled_bessel(a: Array, to_8: Sequence[float], from_8: Sequence[float]) -> tuple[Array, Array]:
    """The series up to 8 and from 8 on, at a >= 0."""
    limited = bind(Max, a, full_like(a, 8.0))
    upper = chebyshev(16.0 / limited - 1.0, from_8) / bind(Sqrt, limited)
    return chebyshev(where(a <= 8.0, a, 8.0) * 0.25 - 1.0, to_8), upper


@op("bessel_i0e", flops=120, tolerance=Tolerance(ulp=8), dtypes=FLOAT)
class BesselI0e(Unary, Composite):
    """exp(-|x|) I0(x)"""

    def decompose(self, x: Array) -> Array:
        a = bind(Abs, x)
        lower, upper = scaled_bessel(a, *tables.I0E[x.dtype])
        return where(a <= 8.0, lower, upper)

    def reference(self, x: Np) -> Np:
        return bessel_values(0, wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [bind(BesselI1e, x) - bind(Sign, x) * y]


@op("bessel_i1e", flops=120, tolerance=Tolerance(ulp=8), dtypes=FLOAT)
class BesselI1e(Unary, Composite):
    """exp(-|x|) I1(x)"""

    def decompose(self, x: Array) -> Array:
        a = bind(Abs, x)
        lower, upper = scaled_bessel(a, *tables.I1E[x.dtype])
        return where(a <= 8.0, lower * x, where(x < 0, -upper, upper))

    def reference(self, x: Np) -> Np:
        return np.copysign(bessel_values(1, wide(x)), wide(x)).astype(x.dtype)  # odd: -0 stays

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        # I0e - y (sign x + 1/x), and 1/2 at 0
        safe = where(x == 0, 1.0, x)
        slope = bind(BesselI0e, x) - y * (bind(Sign, x) + 1.0 / safe)
        return [where(x == 0, 0.5, slope)]
