"""exp, log, tanh, sin, cos and pow by range reduction and polynomials, for f32 and f64.

Each function takes a builder of the result's type and the operands, and returns the result. Errors are the largest seen
over dense samples of the whole range, in units in the last place (test_expand_math.py holds them to it):

           exp    log    tanh   sin, cos   pow
    f32    1.0    1.0    2.0    1.5        1.0
    f64    1.0    1.0    2.5    1.5        2.0

NaN, infinities, -0 and subnormal numbers, as operand or result, are as IEEE 754 and C say.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan

from xdsl.dialects import math
from xdsl.ir import SSAValue

from .math_builder import F32, F64, MathBuilder

LOG2E = 1.4426950408889634
TWO_OVER_PI = 0.6366197723675814
LN2 = {F32: (0.6931471824645996, -1.9046542121259336e-09), F64: (0.6931471805599453, 2.3190468138462996e-17)}
# exp(r) = 1 + r + r^2 q(r) on [-ln 2 / 2, ln 2 / 2]
EXP = {
    F32: (0.4999999343212929, 0.1666652039904253, 0.041668390783547913, 0.0083687451089425907, 0.0013814540176801306),
    F64: (
        *(0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326112, 0.001388888888888373),
        *(0.0001984126987490126, 2.4801587325605324e-05, 2.7557255297969643e-06, 2.755727357010214e-07),
        *(2.5105259538448494e-08, 2.0914717341716378e-09),
    ),
}
# Beyond them exp overflows, or is less than half of the least subnormal number.
EXP_RANGE = {F32: (-104.0, 89.0), F64: (-746.0, 710.0)}
# Below it 2^(n - 1) is no normal number.
EXP_SMALL = {F32: -86.0, F64: -707.0}


def magic(b: MathBuilder) -> float:
    """x + magic - magic rounds x to an integer, which the low bits of x + magic hold."""
    return 1.5 * 2.0**b.format.fraction


def reduce_exp(b: MathBuilder, x: SSAValue, low: SSAValue | None = None) -> tuple[SSAValue, SSAValue]:
    """x + low = n ln 2 + r; returns the bits that hold n, and r."""
    high_ln2, low_ln2 = LN2[b.format]
    t = b.fma(x, LOG2E, magic(b))
    n = b.sub(t, magic(b))
    r = b.fma(n, -high_ln2, x)
    r = b.fma(n, -low_ln2, r)
    return b.bits(t), r if low is None else b.add(r, low)


def exp(b: MathBuilder, x: SSAValue, low: SSAValue | None = None) -> SSAValue:
    """exp(x + low), |low| small.

    The polynomial gives 2 exp(r), which 2^(n - 1) scales; where that is not normal, 2^(n + 63) does, and then 2^-64.
    """
    least, greatest = EXP_RANGE[b.format]
    x = b.at_least(b.at_most(x, greatest), least)
    n, r = reduce_exp(b, x, low)
    q = b.horner(r, [2 * c for c in EXP[b.format]])
    twice = b.fma(b.fma(q, r, 2.0), r, 2.0)
    fraction, bias = b.format.fraction, b.format.bias
    small = b.compare("olt", x, EXP_SMALL[b.format])
    offset = b.iselect(small, (bias + 63) << fraction, (bias - 1) << fraction)
    scaled = b.mul(twice, b.from_bits(b.iadd(b.shift_left(n, fraction), offset)))
    return b.select(small, b.mul(scaled, 2.0**-64), scaled)


def tanh(b: MathBuilder, x: SSAValue) -> SSAValue:
    """t / (t + 2) with t = exp(2|x|) - 1 = 2^n expm1(r) + (2^n - 1)."""
    greatest = 9.02 if b.format is F32 else 19.1
    a = b.at_most(b.abs(x), greatest)
    n, r = reduce_exp(b, b.add(a, a))
    p = b.fma(b.mul(r, r), b.horner(r, EXP[b.format]), r)
    fraction = b.format.fraction
    scale = b.from_bits(b.iadd(b.shift_left(n, fraction), b.format.bias << fraction))
    t = b.fma(scale, p, b.sub(scale, 1.0))
    return b.copysign(b.div(t, b.add(t, 2.0)), x)


# ---- logarithm
# log(1 + f) = f - f^2 / 2 + f^3 p(f) on [sqrt(1/2) - 1, sqrt(2) - 1]
LOG32 = (
    *(0.33333331170359354, -0.24999996944816255, 0.20000718242621346, -0.16667806040136202, 0.14248967401906973),
    *(-0.1242552372162497, 0.11686222034522518, -0.11481406972335893, 0.06971478495296086),
)
# log(1 + f) = f - s (f - R), s = f / (2 + f), R = s^2 (c0 + c1 s^2 + ...) (fdlibm)
LOG64 = (
    *(6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01),
    *(1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01),
)
LN2_SPLIT = (6.93147180369123816490e-01, 1.90821492927058770002e-10)
"""The first has so few bits that its product with an exponent is exact."""
SQRT_HALF = 0.7071067811865476


def split(b: MathBuilder, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """x = 2^e (1 + f), sqrt(1/2) <= 1 + f < sqrt(2); e as a float. x > 0 and finite, subnormal or not."""
    form = b.format
    small = b.compare("olt", x, 2.0 ** (1 - form.bias))
    bits = b.bits(b.select(small, b.mul(x, 2.0 ** (form.fraction + 1)), x))
    above = b.isub(bits, form.bits(SQRT_HALF))
    exponent = b.shift_right(above, form.fraction)
    f = b.sub(b.from_bits(b.isub(bits, b.shift_left(exponent, form.fraction))), 1.0)
    e = b.add(b.to_float(exponent), b.select(small, -(form.fraction + 1.0), 0.0))
    return e, f


def log_ends(b: MathBuilder, x: SSAValue, inside: SSAValue) -> SSAValue:
    """`inside` for 0 < x < inf; log 0 = -inf, log inf = inf, NaN for NaN and negative numbers."""
    finite = b.select(b.compare("olt", x, inf), inside, x)
    return b.select(b.compare("ogt", x, 0.0), finite, b.select(b.compare("oeq", x, 0.0), -inf, nan))


def log(b: MathBuilder, x: SSAValue) -> SSAValue:
    e, f = split(b, x)
    square = b.mul(f, f)
    if b.format is F32:
        high, low = LN2[F32]
        tail = b.mul(b.mul(square, f), b.horner(f, LOG32))
        tail = b.fma(square, -0.5, b.fma(e, low, tail))
        return log_ends(b, x, b.fma(e, high, b.add(f, tail)))
    high, low = LN2_SPLIT
    s = b.div(f, b.add(f, 2.0))
    z = b.mul(s, s)
    rest = b.mul(z, b.horner(z, LOG64))
    half = b.mul(square, 0.5)
    tail = b.sub(half, b.fma(s, b.add(half, rest), b.mul(e, low)))
    return log_ends(b, x, b.sub(b.mul(e, high), b.sub(tail, f)))


# ---- sine and cosine
PI_HALF = {
    F32: (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15),
    F64: (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
}
# sin r = r + r^3 s(r^2), cos r = 1 - r^2 / 2 + r^4 c(r^2) on [-pi/4, pi/4] (Cephes, fdlibm)
SIN = {
    F32: (-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4),
    F64: (
        *(-1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04),
        *(2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10),
    ),
}
COS = {
    F32: (4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5),
    F64: (
        *(4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05),
        *(-2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11),
    ),
}
TRIG_RANGE = {F32: 1.0e5, F64: 1.0e8}
"""Up to there three parts of pi/2 reduce without loss; beyond, the C library does it."""


def wave(b: MathBuilder, x: SSAValue, quarter: int) -> SSAValue:
    """sin(x + quarter pi/2)"""
    t = b.fma(x, TWO_OVER_PI, magic(b))
    n = b.sub(t, magic(b))
    r = x
    for part in PI_HALF[b.format]:
        r = b.fma(n, -part, r)
    k = b.iadd(b.bits(t), quarter)
    z = b.mul(r, r)
    sine = b.fma(b.mul(z, r), b.horner(z, SIN[b.format]), r)
    cosine = b.fma(b.mul(z, z), b.horner(z, COS[b.format]), b.fma(z, -0.5, 1.0))
    odd = b.icompare(1, b.iand(k, 1), 0)
    value = b.select(odd, cosine, sine)
    sign = b.shift_left(b.iand(k, 2), b.format.fraction + (7 if b.format is F32 else 10))
    return b.from_bits(b.ixor(b.bits(value), sign))


def sin(b: MathBuilder, x: SSAValue) -> SSAValue:
    rare = b.compare("ogt", b.abs(x), TRIG_RANGE[b.format])

    def usual(inner: MathBuilder) -> SSAValue:  # the reduction turns -0 into 0
        return inner.select(inner.compare("oeq", x, 0.0), x, wave(inner, x, 0))

    return b.unless(rare, math.SinOp, x, usual)


def cos(b: MathBuilder, x: SSAValue) -> SSAValue:
    rare = b.compare("ogt", b.abs(x), TRIG_RANGE[b.format])
    return b.unless(rare, math.CosOp, x, lambda inner: wave(inner, x, 1))


# ---- powers
# atanh(s) = s (1 + z / 3 + z^2 g(z)), z = s^2, s up to (sqrt 2 - 1) / (sqrt 2 + 1)
ATANH = (
    *(0.20000000000000015, 0.14285714285669004, 0.11111111135663404, 0.09090904105460941),
    *(0.07692788731654072, 0.06642934418772871, 0.06457356091967545),
)
THIRD = (0.3333333333333333, 1.850371707708594e-17)


def log_parts(b: MathBuilder, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """log x as a sum of two f64, about 64 bits in all, for 0 < x < inf."""
    e, f = split(b, x)
    d = b.add(f, 2.0)
    s = b.div(f, d)
    remainder = b.fma(s, b.neg(b.sub(f, b.sub(d, 2.0))), b.fma(b.neg(s), d, f))
    s_low = b.div(remainder, d)
    z = b.mul(s, s)
    z_low = b.fma(s, s, b.neg(z))
    z_low = b.fma(b.add(s, s), s_low, z_low)
    third = b.mul(z, THIRD[0])
    third_low = b.fma(z_low, THIRD[0], b.fma(z, THIRD[1], b.fma(z, THIRD[0], b.neg(third))))
    rest = b.mul(b.mul(z, z), b.horner(z, ATANH))
    c = b.add(third, rest)
    c_low = b.add(b.add(b.sub(third, c), rest), third_low)
    product = b.mul(s, c)
    product_low = b.fma(s_low, c, b.fma(s, c_low, b.fma(s, c, b.neg(product))))
    high = b.add(s, product)
    low = b.add(b.add(b.sub(s, high), product), b.add(s_low, product_low))
    exact = b.mul(e, LN2_SPLIT[0])
    twice = b.add(high, high)
    total = b.add(exact, twice)
    total_low = b.add(b.add(b.sub(exact, total), twice), b.fma(e, LN2_SPLIT[1], b.add(low, low)))
    return total, total_low


def power(b: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
    """exp(y log |x|) in f64, the product in two parts; then signs and the cases in which C's pow differs from that."""
    a = b.abs(x)
    high, low = log_parts(b, a)
    high = log_ends(b, a, high)
    product = b.mul(y, high)
    product_low = b.fma(y, low, b.fma(y, high, b.neg(product)))
    product_low = b.select(b.compare("olt", b.abs(product), 1000.0), product_low, 0.0)
    value = exp(b, product, product_low)
    whole = b.compare("oeq", b.floor(y), y)
    half = b.mul(y, 0.5)
    odd = b.both(whole, b.compare("une", b.floor(half), half))
    negative = b.icompare(2, b.bits(x), 0)
    value = b.select(b.both(negative, odd), b.neg(value), value)
    # a negative base to a fraction
    fraction = b.compare("une", b.floor(y), y)
    undefined = b.both(b.both(b.compare("olt", x, 0.0), b.compare("ogt", x, -inf)), fraction)
    value = b.select(undefined, nan, value)
    # x^0 = 1^y = (-1)^inf = 1, whatever the other
    one = b.either(b.compare("oeq", x, 1.0), b.compare("oeq", y, 0.0))
    one = b.either(one, b.both(b.compare("oeq", a, 1.0), b.compare("oeq", b.abs(y), inf)))
    return b.select(one, 1.0, value)


def pow_(b: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
    if b.format is F64:
        return power(b, x, y)
    wide = b.of(F64)
    return b.truncate(power(wide, wide.extend(x), wide.extend(y)))


Function = Callable[..., SSAValue]
FUNCTIONS: dict[str, Function] = {
    "math.exp": exp,
    "math.log": log,
    "math.tanh": tanh,
    "math.sin": sin,
    "math.cos": cos,
    "math.powf": pow_,
}
