"""Logarithms and the inverse hyperbolic functions: the exponent taken off, a polynomial of the fraction."""

from __future__ import annotations

from math import inf, nan

from xdsl.ir import SSAValue

from .math_builder import F32, F64, MathBuilder
from .math_exponential import LN2
from .math_log_table import BINARY, DECIMAL, LEAST, Base, log_of_parts, tabled

# log(1 + f) = f + f^2 p(f) on [sqrt(1/2) - 1, sqrt(2) - 1]
LOG = {
    F32: (
        *(-0.49999988079071045, 0.33333322405815125, -0.2500160336494446, 0.20002205669879913, -0.16608870029449463),
        *(0.14177437126636505, -0.13240015506744385, 0.12929803133010864, -0.07659546285867691),
    ),
    F64: (
        *(-0.5, 0.3333333333333337, -0.24999999999999434, 0.19999999999975535),
        *(-0.16666666666809152, 0.14285714290226392, -0.12499999988229632, 0.1111111072996344),
        *(-0.10000000293648051, 0.09090926519529235, -0.08333341859605121, 0.07691846251495121),
        *(-0.07142178144931366, 0.06673746435165462, -0.06266871141028912, 0.05825070238646302),
        *(-0.053492389973253424, 0.054081381753003616, -0.06207496038793952, 0.05647814073538777),
        -0.02432617491821441,
    ),
}
BASE2 = {F32: Base((1.0, 0.0), (1.4426950216293335, 1.925963033500011e-08)), F64: BINARY}
BASE10 = {
    F32: Base((0.301025390625, 4.605039066518657e-06), (0.4342944920063019, -1.0103049952192578e-08)),
    F64: DECIMAL,
}
SQRT_HALF = 0.7071067811865476


def split(b: MathBuilder, x: SSAValue, normal: bool = False) -> tuple[SSAValue, SSAValue]:
    """x = 2^e (1 + f), sqrt(1/2) <= 1 + f < sqrt(2); e as a float. x > 0 and finite, and subnormal or not if it is not
    said to be `normal`."""
    e, m = normalized(b, x, SQRT_HALF, normal)
    return e, b.sub(m, 1.0)


def normalized(b: MathBuilder, x: SSAValue, least: float, normal: bool = False) -> tuple[SSAValue, SSAValue]:
    """x = 2^e m, least <= m < 2 least; e as a float."""
    form = b.format
    start, fraction, more = form.bits(least), form.fraction, form.fraction + 1
    if normal:
        above = b.isub(b.bits(x), start)
    else:
        small = b.compare("olt", x, 2.0 ** (1 - form.bias))
        bits = b.bits(b.select(small, b.mul(x, 2.0**more), x))
        above = b.isub(bits, b.iselect(small, start + (more << fraction), start))
    m = b.from_bits(b.iadd(b.iand(above, (1 << fraction) - 1), start))
    return b.to_float(b.shift_right(above, fraction)), m


def log_ends(b: MathBuilder, x: SSAValue, inside: SSAValue) -> SSAValue:
    """`inside` for 0 < x < inf; log 0 = -inf, log inf = inf, NaN for NaN and negative numbers."""
    finite = b.select(b.compare("olt", x, inf), inside, x)
    return b.select(b.compare("ogt", x, 0.0), finite, b.select(b.compare("oeq", x, 0.0), -inf, nan))


def log_sum(b: MathBuilder, e: SSAValue, f: SSAValue, more: SSAValue | None = None) -> SSAValue:
    """e ln 2 + log(1 + f) + more, |more| small."""
    (high, low), square = LN2[b.format], b.mul(f, f)
    p = b.halves(f, square, LOG[b.format])
    if more is None and b.format is F32:  # e low is less than a tenth of the result's last place
        return b.fma(e, high, b.fma(square, p, f))
    small = b.mul(e, low) if more is None else b.fma(e, low, more)
    return b.fma(e, high, b.add(f, b.fma(square, p, small)))


def log(b: MathBuilder, x: SSAValue) -> SSAValue:
    return log_ends(b, x, log_sum(b, *split(b, x)))


def log_base(b: MathBuilder, x: SSAValue, base: Base) -> SSAValue:
    """e log_b(2) + f log_b(e) + (log(1 + f) - f) log_b(e)"""
    if tabled(b):
        return log_ends(b, x, log_of_parts(b, base, *normalized(b, x, LEAST)))
    (whole, whole_low), (scale, scale_low) = base.of_two, base.of_e
    e, f = split(b, x)
    rest = b.halves(f, b.mul(f, f), [scale_low, *(scale * c for c in LOG[b.format])])
    fraction = b.fma(f, scale, b.mul(f, rest))
    if whole_low:
        fraction = b.fma(e, whole_low, fraction)
    return log_ends(b, x, b.add(e, fraction) if whole == 1.0 else b.fma(e, whole, fraction))


def log2(b: MathBuilder, x: SSAValue) -> SSAValue:
    return log_base(b, x, BASE2[b.format])


def log10(b: MathBuilder, x: SSAValue) -> SSAValue:
    return log_base(b, x, BASE10[b.format])


def log_of_next(b: MathBuilder, x: SSAValue, more: SSAValue | None = None) -> SSAValue:
    """log(1 + x) + more for x near 0 or not: u = 1 + x rounded, and the rounding error over u."""
    u = b.add(x, 1.0)
    back = b.sub(u, 1.0)
    error = b.add(b.sub(1.0, b.sub(u, back)), b.sub(x, back))
    inside = log_sum(b, *split(b, u, normal=True), b.div(error, u))
    return log_ends(b, u, inside if more is None else b.add(inside, more))


def log1p(b: MathBuilder, x: SSAValue) -> SSAValue:
    return b.copysign(log_of_next(b, x), x)  # of a zero


# ---- inverse hyperbolic functions
LARGE = {F32: 2.0**30, F64: 2.0**60}
"""From there sqrt(x^2 + 1) is x, and log(1 + x) log(x)."""


def asinh(b: MathBuilder, x: SSAValue) -> SSAValue:
    """log(1 + t), t = a + a^2 / (1 + sqrt(1 + a^2)), a = |x|; of a large one log(a) + ln 2."""
    a = b.abs(x)
    root = b.sqrt(b.fma(a, a, 1.0))
    t = b.fma(a, b.div(a, b.add(root, 1.0)), a)
    large = b.compare("oge", a, LARGE[b.format])
    value = log_of_next(b, b.select(large, a, t), b.select(large, LN2[b.format][0], 0.0))
    return b.exact_near_zero(x, b.copysign(value, x))


def acosh(b: MathBuilder, x: SSAValue) -> SSAValue:
    """log(1 + t + sqrt(t (t + 2))), t = x - 1; of a large one log(x) + ln 2."""
    t = b.sub(x, 1.0)
    large = b.compare("oge", x, LARGE[b.format])
    inner = b.select(large, x, b.add(t, b.sqrt(b.mul(t, b.add(t, 2.0)))))
    value = log_of_next(b, inner, b.select(large, LN2[b.format][0], 0.0))
    return b.select(b.compare("olt", x, 1.0), nan, value)


def atanh(b: MathBuilder, x: SSAValue) -> SSAValue:
    """log(1 + 2a / (1 - a)) / 2, a = |x|."""
    a = b.abs(x)
    value = b.mul(log_of_next(b, b.div(b.add(a, a), b.sub(1.0, a))), 0.5)
    return b.exact_near_zero(x, b.copysign(value, x))
