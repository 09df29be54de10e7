"""Complex trigonometric and hyperbolic functions and their inverses on pairs of parts.

Special values are those of C99, annex G.6. Functions of i z are those of z, turned:

    sin(z) = -i sinh(i z)   tan(z) = -i tanh(i z)   asin(z) = -i asinh(i z)   atan(z) = -i atanh(i z)
"""

from __future__ import annotations

import math

from ....dialects.nd import functions as F
from ....dialects.nd.elementwise import full_like
from ....dialects.nd.op import Array, zeros_like
from .exponentials import range_of
from .parts import Pair, has_infinity, in_double, larger_smaller, over_i, pick, times_i

LN2, PI = math.log(2), math.pi


# Circular and hyperbolic.


def hyperbolic(x: Array, u: Array, v: Array) -> tuple[Array, Array]:
    """u cosh(x) and v sinh(x), in two factors where cosh(x) overflows."""
    half = abs(x) > math.log(float(range_of(x).max)) - 1
    e = F.exp(abs(F.where(half, x * 0.5, zeros_like(x))))
    inside = F.where(half, zeros_like(x), x)
    far = Pair(0.5 * e * u * e, F.copysign(0.5 * e, x) * v * e)
    return pick(half, far, Pair(F.cosh(inside) * u, F.sinh(inside) * v))


def of_zero(y: Array, part: Array, zero: Array) -> Array:
    """Where the other part is 0, so is this one, also times infinity."""
    return F.where(y == 0, zero, part)


def sinh(z: Pair) -> Pair:
    """sinh(x) cos(y) + i cosh(x) sin(y)"""
    x, y = z
    im, re = hyperbolic(x, F.sin(y), F.cos(y))
    re = F.where(((x == 0) | F.isinf(x)) & ~F.isfinite(y), x, re)
    return Pair(re, of_zero(y, im, y))


def cosh(z: Pair) -> Pair:
    """cosh(x) cos(y) + i sinh(x) sin(y)"""
    x, y = z
    re, im = hyperbolic(x, F.cos(y), F.sin(y))
    re = F.where(F.isinf(x) & ~F.isfinite(y), abs(x), re)
    zero = F.copysign(zeros_like(x), x) * F.copysign(full_like(y, 1.0), y)
    return Pair(re, F.where((x == 0) | (y == 0), zero, im))


def sin(z: Pair) -> Pair:
    return over_i(sinh(times_i(z)))


def cos(z: Pair) -> Pair:
    return cosh(times_i(z))


@in_double
def tanh(z: Pair) -> Pair:
    """(sinh x cosh x + i sin y cos y) / (sinh(x)^2 + cos(y)^2), a sum of what is positive"""
    x, y = z
    far = abs(x) > 22
    a = F.where(far, zeros_like(x), x)
    s, c, sy, cy = F.sinh(a), F.cosh(a), F.sin(y), F.cos(y)
    below = s * s + cy * cy
    near = Pair(s * c / below, sy * cy / below)
    turn = 4.0 * sy * cy * F.exp(-2.0 * abs(x))
    turn = F.where(F.isinf(x), F.copysign(zeros_like(x), F.where(F.isfinite(y), sy * cy, y)), turn)
    out = pick(far, Pair(F.copysign(full_like(x, 1.0), x), turn), near)
    return Pair(of_zero(x, out.re, x), of_zero(y, out.im, y))


def tan(z: Pair) -> Pair:
    return over_i(tanh(times_i(z)))


# Inverses: Hull, Fairgrieve, Tang: Implementing the complex arcsine and arccosine functions (1997).


def arc(z: Pair) -> tuple[Array, Array]:
    """Of z in the first quadrant: D such that asin(z) has the real part atan2(x, D) and acos(z) atan2(D, x), and the
    imaginary part of asin(z)."""
    x, y = z
    m, n = larger_smaller(z)
    big = m > 1e150
    x1, y1 = F.where(big, 1.0, x), F.where(big, 1.0, y)
    up, down = x1 + 1.0, x1 - 1.0
    r, s = F.hypot(up, y1), F.hypot(down, y1)
    a = 0.5 * (r + s)
    inside = x1 <= 1
    first = y1 * y1 / (r + up)
    # s - |x - 1| = y^2 / (s + |x - 1|)
    gap = s + abs(down)
    rest = F.where(gap == 0, zeros_like(gap), y1 / F.where(gap == 0, 1.0, gap))
    d_inside = F.sqrt(0.5 * (a + x1) * (first + gap))
    d_outside = y1 * F.sqrt(0.5 * ((a + x1) / (r + up) + (a + x1) / F.where(inside, 1.0, gap)))
    a_minus_1 = 0.5 * (first + F.where(x1 < 1, y1 * rest, gap))
    im = F.log1p(a_minus_1 + F.sqrt(a_minus_1 * (a + 1.0)))
    tiny = (x1 < 1) & (y1 < -down * 2.0**-53)
    im = F.where(tiny, y1 / F.sqrt(F.where(tiny, -down * up, 1.0)), im)
    ratio = F.where(big & F.isfinite(m), n / m, 0.0)
    far = LN2 + F.log(m) + 0.5 * F.log1p(ratio * ratio)
    d = F.where(big, y, F.where(inside, d_inside, d_outside))
    im = F.where(has_infinity(z), math.inf, F.where(big, far, im))
    return d, F.where(F.isnan(m) & ~has_infinity(z), m, im)


@in_double
def asin(z: Pair) -> Pair:
    x, y = abs(z.re), abs(z.im)
    d, im = arc(Pair(x, y))
    re = F.where(has_infinity(z) & F.isnan(y), y, F.atan2(x, d))
    im = F.where((x == 0) & F.isnan(y), y, im)
    re = F.where((x == 0) & F.isnan(y), x, re)
    return Pair(F.copysign(re, z.re), F.copysign(im, z.im))


@in_double
def acos(z: Pair) -> Pair:
    x, y = abs(z.re), abs(z.im)
    d, im = arc(Pair(x, y))
    re = F.where(has_infinity(z) & F.isnan(y), y, F.atan2(d, z.re))
    re = F.where((x == 0) & F.isnan(y), PI / 2, re)
    return Pair(re, F.copysign(im, -z.im))


def asinh(z: Pair) -> Pair:
    return over_i(asin(times_i(z)))


def acosh(z: Pair) -> Pair:
    """i acos(z) or -i acos(z), whichever has a real part that is not negative."""
    re, im = acos(z)
    return Pair(abs(im), F.copysign(re, z.im))


@in_double
def atanh(z: Pair) -> Pair:
    """log1p(4 x / ((1 - x)^2 + y^2)) / 4 + i atan2(2 y, (1 - x)(1 + x) - y^2) / 2 (Kahan 1987)"""
    x, y = abs(z.re), z.im
    m, n = larger_smaller(z)
    big = (m > 1e150) | has_infinity(z)
    a, b = F.where(big, 2.0, x), F.where(big, 2.0, y)
    gap = 1.0 - a
    at_pole = (gap == 0) & (abs(b) < 1e-150)
    below = F.where(at_pole, 1.0, gap * gap + b * b)
    re = 0.25 * F.log1p(4.0 * a / below)
    re = F.where(at_pole, 0.5 * (LN2 - F.log(abs(b))), re)
    im = 0.5 * F.atan2(2.0 * b, gap * (1.0 + a) - b * b)
    ratio = F.where(F.isfinite(m), n / F.where(big, m, 1.0), 0.0)
    far = F.where(F.isfinite(m), x / F.where(big, m, 1.0) / F.where(big, m, 1.0) / (1.0 + ratio * ratio), 0.0)
    quarter = F.where(F.isnan(y), y, F.copysign(full_like(y, PI / 2), y))
    re, im = F.where(big, far, F.where(x == 0, x, re)), F.where(big, quarter, im)
    return Pair(F.copysign(re, z.re), im)


def atan(z: Pair) -> Pair:
    return over_i(atanh(times_i(z)))
