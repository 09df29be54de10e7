"""Complex exponentials, logarithms, powers and roots on pairs of parts.

Special values are those of C99, annex G.6, where it defines some.
"""

from __future__ import annotations

import math
from typing import Any

from xdsl.dialects.builtin import f32, f64

from ....dialects.nd import functions as F
from ....dialects.nd.elementwise import full_like
from ....dialects.nd.op import Array, zeros_like
from ....dialects.nd.types import NUMPY, finfo
from .parts import Pair, angle, div, has_infinity, in_double, larger_smaller, magnitude, pick, real_pair, scale, to_type

LN2, LN10 = math.log(2), math.log(10)
SPLITTER = 2.0**27 + 1
"""Veltkamp's, for doubles."""


def range_of(x: Array) -> Any:
    return finfo(NUMPY[x.dtype])


# Exponentials.


def times_exp(x: Array, z: Pair) -> Pair:
    """e^x z, in two factors where e^x alone overflows."""
    half = x > math.log(float(range_of(x).max)) - 1
    e = F.exp(F.where(half, x * 0.5, x))
    once = scale(z, e)
    return pick(half, scale(once, e), once)


def direction(y: Array) -> Pair:
    """e^(i y)"""
    return Pair(F.cos(y), F.sin(y))


def exp(z: Pair) -> Pair:
    x, y = z
    out = times_exp(x, direction(y))
    # e^-inf is 0 and e^inf infinite, whatever the direction; a real argument stays real
    low = F.where(F.isfinite(y), out.re, zeros_like(x)), F.where(F.isfinite(y), out.im, zeros_like(x))
    out = pick(x == -math.inf, Pair(*low), out)
    out = pick((x == math.inf) & ~F.isfinite(y), Pair(x, y - y), out)
    return Pair(out.re, F.where(y == 0, y, out.im))


def exp2(z: Pair) -> Pair:
    return in_double(lambda w: exp(scale(w, LN2)))(z)


@in_double
def expm1(z: Pair) -> Pair:
    """expm1(x) cos(y) - 2 sin(y / 2)^2 + i e^x sin(y)"""
    x, y = z
    s = F.sin(y * 0.5)
    out = exp(z)
    near = F.expm1(x) * F.cos(y) - 2.0 * s * s
    return Pair(F.where(abs(x) < 30, near, out.re - 1.0), out.im)


# Logarithms.


def square(x: Array) -> tuple[Array, Array]:
    """x^2 and its rounding error: Dekker (1971), with Veltkamp's splitting."""
    c = x * SPLITTER
    high = c - (c - x)
    low = x - high
    product = x * x
    return product, ((high * high - product) + 2.0 * (high * low)) + low * low


def two_sum(x: Array, y: Array) -> tuple[Array, Array]:
    """The sum and its rounding error: Knuth."""
    s = x + y
    t = s - x
    return s, (x - (s - t)) + (y - t)


def log_magnitude(z: Pair) -> Array:
    """log|z| = log(m) + log1p((n / m)^2) / 2 of the larger and smaller part; near 1, log1p(m^2 + n^2 - 1) / 2 with the
    sum in twice the precision."""
    m, n = larger_smaller(z)
    ratio = F.where((m == 0) | F.isinf(m), zeros_like(m), n / m)
    far = F.log(m) + 0.5 * F.log1p(ratio * ratio)
    close = (m > 0.5) & (m < 2)
    a, b = F.where(close, m, 1.0), F.where(close, n, 0.0)
    (p, dp), (q, dq) = square(a), square(b)
    s, ds = two_sum(p - 1.0, q)
    near = 0.5 * F.log1p(s + (ds + (dp + dq)))
    return F.where(has_infinity(z), math.inf, F.where(close, near, far))


@in_double
def log(z: Pair) -> Pair:
    return Pair(log_magnitude(z), angle(z))


def log2(z: Pair) -> Pair:
    return in_double(lambda w: scale(log(w), 1 / LN2))(z)


def log10(z: Pair) -> Pair:
    return in_double(lambda w: scale(log(w), 1 / LN10))(z)


@in_double
def log1p(z: Pair) -> Pair:
    """log|1 + z| = log1p(2 x + x^2 + y^2) / 2 near 0, with the sum in twice the precision."""
    x, y = z
    m, _ = larger_smaller(z)
    close = m < 1
    a, b = F.where(close, x, 0.0), F.where(close, y, 0.0)
    (p, dp), (q, dq) = square(a), square(b)
    s, ds = two_sum(2.0 * a, q)
    t, dt = two_sum(s, p)
    near = 0.5 * F.log1p(t + (dt + ds + (dp + dq)))
    shifted = Pair(x + 1.0, y)
    return Pair(F.where(close, near, log_magnitude(shifted)), angle(shifted))


# Powers.


def power(x: Pair, y: Pair) -> Pair:
    """x^y = |x|^c e^(-d t) e^(i (c t + d log|x|)) of y = c + i d and the angle t; x^0 = 1, and 0^y is 0 for c > 0."""
    if x.re.dtype == f32:
        return to_type(power(to_type(x, f64), to_type(y, f64)), f32)
    (c, d), size, turn = y, magnitude(x), angle(x)
    grown = F.power(size, c) * F.exp(-d * turn)
    logarithm = F.where(d == 0, zeros_like(d), d * log_magnitude(x))
    out = scale(direction(c * turn + logarithm), grown)
    nothing = (x.re == 0) & (x.im == 0)
    out = pick(nothing & (c > 0), real_pair(zeros_like(c)), out)
    return pick((c == 0) & (d == 0), real_pair(full_like(c, 1.0)), out)


# Roots.


def sqrt(z: Pair) -> Pair:
    """The root of |x| + |z| over 2, and y over twice that (Kahan 1987); powers of 4 keep the sum in range."""
    limits = range_of(z.re)
    m, _ = larger_smaller(z)
    big, small = m > float(limits.max) / 4, m < float(limits.smallest_normal) * 4.0 ** (limits.nmant // 2 + 1)
    lift = 4.0 ** (limits.nmant // 2 + 2)
    by = F.where(big, 1 / 16, F.where(small, lift, full_like(m, 1.0)))
    back = F.where(big, 4.0, F.where(small, 1 / math.sqrt(lift), full_like(m, 1.0)))
    x, y = scale(z, by)
    t = F.sqrt(0.5 * (abs(x) + F.hypot(x, y)))
    other = F.where(t == 0, abs(y), abs(y) / (2.0 * F.where(t == 0, 1.0, t)))
    left = z.re < 0
    re, im = F.where(left, other, t) * back, F.where(left, t, other) * back
    # csqrt(x + i inf) = inf + i inf; csqrt(-inf + i y) = 0 + i inf; csqrt(inf + i y) = inf + i 0
    inf = full_like(m, math.inf)
    finite = F.isfinite(z.im)
    re = F.where((z.re == -math.inf) & finite, zeros_like(m), F.where((z.re == math.inf) | F.isinf(z.im), inf, re))
    im = F.where((z.re == math.inf) & finite, zeros_like(m), F.where((z.re == -math.inf) | F.isinf(z.im), inf, im))
    im = F.where((z.re == math.inf) & F.isnan(z.im), z.im, im)
    re = F.where((z.re == -math.inf) & F.isnan(z.im), z.im, re)
    return Pair(re, F.where(F.isnan(im), im, F.copysign(im, z.im)))


@in_double
def rsqrt(z: Pair) -> Pair:
    """conj(s) / |z| of the root s, in a range where |z| is a number; 1 / 0 is infinite, 1 / infinity 0."""
    m, _ = larger_smaller(z)
    big = m > float(range_of(m).max) / 4
    x = scale(z, F.where(big, 1 / 16, full_like(m, 1.0)))
    s, size = sqrt(x), magnitude(x)
    by = F.where(big, 0.25, full_like(m, 1.0))
    out = Pair(s.re / size * by, -(s.im / size * by))
    out = pick(has_infinity(z), Pair(zeros_like(size), F.copysign(zeros_like(size), -z.im)), out)
    return pick((z.re == 0) & (z.im == 0), Pair(full_like(size, math.inf), F.copysign(zeros_like(size), -z.im)), out)


@in_double
def cbrt(z: Pair) -> Pair:
    """|z|^(1/3) in a third of the angle."""
    return scale(direction(angle(z) / 3.0), F.cbrt(magnitude(z)))


# Quotients of exponentials.


def sign(z: Pair) -> Pair:
    """z / |z|; 0 of 0."""
    m, _ = larger_smaller(z)
    usual = (m > 0) & F.isfinite(m)
    x, y = (p / F.where(usual, m, 1.0) for p in z)
    size = F.hypot(x, y)
    size = F.where(size == 0, 1.0, size)
    return pick((z.re == 0) & (z.im == 0), z, Pair(x / size, y / size))


def sigmoid(z: Pair) -> Pair:
    """1 / (1 + e^-z)"""
    e = exp(Pair(-z.re, -z.im))
    one = full_like(z.re, 1.0)
    return div(Pair(one, zeros_like(one)), Pair(1.0 + e.re, e.im))
