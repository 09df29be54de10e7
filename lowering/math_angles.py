"""Trigonometric functions and their inverses.

Up to `TRIG_RANGE` three parts of pi/2 reduce an angle. Beyond, its product with 2/pi is taken in integers, from the 192
bits of 2/pi that matter for its exponent (Payne and Hanek, 1983): exact for every float, element by element.
"""

from __future__ import annotations

from itertools import pairwise
from math import inf, nan

from xdsl.ir import SSAValue

from .math_builder import F32, F64, MathBuilder
from .math_exponential import magic
from .math_rare import Function, unless

TWO_OVER_PI = 0.6366197723675814
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
"""Up to there three parts of pi/2 reduce without loss."""


def reduce_angle(b: MathBuilder, x: SSAValue, exact: bool = False) -> tuple[SSAValue, ...]:
    """x = k pi/2 + r, |r| <= pi/4; the low bits of the first are k's. `exact`: what rounding took from r, too."""
    t = b.fma(x, TWO_OVER_PI, magic(b))
    n = b.sub(t, magic(b))
    first, second, third = PI_HALF[b.format]
    before = b.fma(n, -first, x)
    if not exact:
        return b.bits(t), b.fma(n, -third, b.fma(n, -second, before))
    product = b.mul(n, second)
    middle = b.sub(before, product)
    back = b.sub(before, middle)
    error = b.add(b.sub(before, b.add(middle, back)), b.sub(back, product))
    error = b.fma(n, -third, b.sub(error, b.fma(n, second, b.neg(product))))
    r = b.add(middle, error)
    return b.bits(t), r, b.add(b.sub(middle, r), error)


def sine_cosine(b: MathBuilder, r: SSAValue) -> tuple[SSAValue, SSAValue]:
    z = b.mul(r, r)
    sine = b.fma(b.mul(z, r), b.horner(z, SIN[b.format]), r)
    half = b.mul(z, 0.5)
    most = b.sub(1.0, half)
    error = b.sub(b.sub(1.0, most), half)
    return sine, b.add(most, b.fma(b.mul(z, z), b.horner(z, COS[b.format]), error))


def is_odd(b: MathBuilder, k: SSAValue) -> SSAValue:
    return b.icompare(1, b.iand(k, 1), 0)


def wave(b: MathBuilder, k: SSAValue, r: SSAValue) -> SSAValue:
    """sin(k pi/2 + r)"""
    sine, cosine = sine_cosine(b, r)
    value = b.select(is_odd(b, k), cosine, sine)
    sign = b.shift_left(b.iand(k, 2), b.format.fraction + (7 if b.format is F32 else 10))
    return b.from_bits(b.ixor(b.bits(value), sign))


def slope(b: MathBuilder, k: SSAValue, r: SSAValue, low: SSAValue | None = None) -> SSAValue:
    """tan(k pi/2 + r + low), |low| small: t + low (1 + t^2)."""
    sine, cosine = sine_cosine(b, r)
    odd = is_odd(b, k)
    t = b.div(b.select(odd, cosine, sine), b.select(odd, b.neg(sine), cosine))
    return t if low is None else b.fma(b.fma(t, t, 1.0), low, t)


def sin(b: MathBuilder, x: SSAValue) -> SSAValue:
    value = of_angle(b, x, wave)
    return b.select(b.compare("oeq", x, 0.0), x, value)  # the reduction turns -0 into 0


def wave_ahead(b: MathBuilder, k: SSAValue, r: SSAValue) -> SSAValue:
    return wave(b, b.iadd(k, 1), r)


def cos(b: MathBuilder, x: SSAValue) -> SSAValue:
    return of_angle(b, x, wave_ahead)


def tan(b: MathBuilder, x: SSAValue) -> SSAValue:
    value = of_angle(b, x, slope, exact=True)
    return b.select(b.compare("oeq", x, 0.0), x, value)


def of_angle(b: MathBuilder, x: SSAValue, value: Function, exact: bool = False) -> SSAValue:
    """`value` of an angle's quarter turns and rest."""

    def beyond(inner: MathBuilder, x: SSAValue) -> SSAValue:
        return inner.compare("ogt", inner.abs(x), TRIG_RANGE[inner.format])

    def long(inner: MathBuilder, x: SSAValue) -> SSAValue:
        if inner.format is F64:
            return value(inner, *reduce_large(inner, x))
        wide = inner.of(F64)
        return inner.truncate(value(wide, *reduce_large(wide, wide.extend(x))))

    return unless(b, beyond, [x], value(b, *reduce_angle(b, x, exact)), long)


# ---- any finite angle
# 64 bits of 0, then the first 1216 bits of 2/pi.
WORDS = (
    *(0x0, 0xA2F9836E4E441529, 0xFC2757D1F534DDC0, 0xDB6295993C439041, 0xFE5163ABDEBBC561),
    *(0xB7246E3A424DD2E0, 0x06492EEA09D1921C, 0xFE1DEB1CB129A73E, 0xE88235F52EBB4484, 0xE99C7026B45F7E41),
    *(0x3991D639835339F4, 0x9C845F8BBDF9283B, 0x1FF897FFDE05980F, 0xEF2F118B5A0A6D1F, 0x6D367ECF27CB09B7),
    *(0x4F463F669E5FEA2D, 0x7527BAC7EBE5F17B, 0x3D0739F78A5292EA, 0x6BFB5FB11F8D5D08, 0x56033046FC7B6BAB),
)
LOW = (1 << 32) - 1


def reduce_large(b: MathBuilder, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """As `reduce_angle`, for f64 from 2^16 on; r is NaN for an infinity.

    |x| = M 2^e. Bits of 2/pi above weight 2^(1 - e) give multiples of 4, so 192 bits from there on leave |x| 2/pi mod 4
    within 2^-137: P 2^-190, where P = M (the 192 bits) mod 2^192.
    """
    a = b.bits(b.abs(x))
    mantissa = b.ior(b.iand(a, (1 << 52) - 1), 1 << 52)
    place = b.isub(b.shift_right(a, 52), 1013)  # e - 1 + 63, e = exponent - 1075
    high, middle, low = window(b, place)
    carry = high_product(b, mantissa, low)
    middle_low = b.imul(mantissa, middle)
    second = b.iadd(middle_low, carry)
    carried = b.iselect(b.icompare(6, second, middle_low), 1, 0)
    first = b.iadd(b.iadd(b.imul(mantissa, high), high_product(b, mantissa, middle)), carried)
    k = b.shift_down(b.iadd(first, 1 << 61), 62)  # to the nearest quarter turn
    first = b.isub(first, b.shift_left(k, 62))
    r = quarter_turns(b, first, second)
    negative = b.is_negative(x)
    r = b.select(negative, b.neg(r), r)
    r = b.select(b.compare("olt", b.abs(x), inf), r, nan)
    return b.iselect(negative, b.isub(0, k), k), r


def window(b: MathBuilder, place: SSAValue) -> tuple[SSAValue, SSAValue, SSAValue]:
    """192 bits of 2/pi from a place in the table on: the words by halving the choice, then a shift."""
    words: list[SSAValue | int] = [w - (1 << 64) if w >> 63 else w for w in WORDS]
    index = b.shift_right(place, 6)
    for step in (16, 8, 4, 2, 1):
        set_ = b.icompare(1, b.iand(index, step), 0)
        ahead = words[step:]
        words = words[: step + 3]  # a window is 4 words
        words = [b.iselect(set_, ahead[i], word) if i < len(ahead) else word for i, word in enumerate(words)]
    shift = b.iand(place, 63)
    rest = b.isub(63, shift)
    chosen = [b.i(w) for w in words]
    shifted = [
        b.ior(b.shift_left(upper, shift), b.shift_down(b.shift_down(lower, 1), rest))
        for upper, lower in pairwise(chosen)
    ]
    return shifted[0], shifted[1], shifted[2]


def high_product(b: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
    """The upper 64 bits of a product of unsigned numbers."""
    x_low, x_high = b.iand(x, LOW), b.shift_down(x, 32)
    y_low, y_high = b.iand(y, LOW), b.shift_down(y, 32)
    cross, other = b.imul(x_low, y_high), b.imul(x_high, y_low)
    middle = b.iadd(b.shift_down(b.imul(x_low, y_low), 32), b.iadd(b.iand(cross, LOW), b.iand(other, LOW)))
    high = b.iadd(b.imul(x_high, y_high), b.iadd(b.shift_down(cross, 32), b.shift_down(other, 32)))
    return b.iadd(high, b.shift_down(middle, 32))


def quarter_turns(b: MathBuilder, first: SSAValue, second: SSAValue) -> SSAValue:
    """(first 2^64 + second) 2^-126 pi/2, the first signed and the second unsigned."""
    high = b.to_float(first)
    below = b.mul(b.to_float(b.shift_down(second, 1)), 2.0**-63)
    low = b.add(b.to_float(b.isub(first, b.to_integer(high))), below)
    total = b.add(high, low)
    rest = b.add(b.sub(high, total), low)
    pi_high, pi_low, _ = PI_HALF[F64]
    angle = b.mul(total, pi_high)
    angle_low = b.fma(rest, pi_high, b.fma(total, pi_low, b.fma(total, pi_high, b.neg(angle))))
    return b.mul(b.add(angle, angle_low), 2.0**-62)


# ---- inverses
# asin s = s + s z p(z), z = s^2 up to 1/4
ASIN = {
    F32: (0.16666752099990845, 0.074953094124794, 0.04546914994716644, 0.024184782058000565, 0.042158324271440506),
    F64: (
        *(0.16666666666665408, 0.07500000000337008, 0.044642856828334854, 0.030381959136681295),
        *(0.022371758057544874, 0.017359704652863, 0.013885236589923581, 0.012169204052927004),
        *(0.006528008780239166, 0.019528172398934656, -0.016224106595057644, 0.03191216983130249),
    ),
}
# atan t = t + t z p(z), z = t^2, t up to tan(pi/8)
ATAN = {
    F32: (-0.33333316445350647, 0.19998528063297272, -0.14244391024112701, 0.10599168390035629, -0.06090046837925911),
    F64: (
        *(-0.333333333333332, 0.19999999999953208, -0.14285714280162282, 0.11111110781931134),
        *(-0.0909089771855258, 0.07692059593982042, -0.06663097755551421, 0.05847848432282747),
        *(-0.05039140304859893, 0.03806083621746032, -0.017903580709491346),
    ),
}
TAN_PI_8 = 0.41421356237309503


def asin_parts(b: MathBuilder, x: SSAValue) -> tuple[SSAValue, SSAValue, SSAValue]:
    """Is |x| > 1/2; s and w with asin |x| = s + w, or pi/2 - 2 (s + w) where it is, s = sqrt((1 - |x|) / 2)."""
    a = b.abs(x)
    large = b.compare("ogt", a, 0.5)
    z = b.select(large, b.mul(b.sub(1.0, a), 0.5), b.mul(a, a))
    root = b.sqrt(z)
    error = b.div(b.fma(b.neg(root), root, z), b.at_least(b.add(root, root), 2.0 ** (1 - b.format.bias)))
    s = b.select(large, root, a)
    w = b.fma(b.mul(s, z), b.horner(z, ASIN[b.format]), b.select(large, error, 0.0))
    return large, s, w


def asin(b: MathBuilder, x: SSAValue) -> SSAValue:
    large, s, w = asin_parts(b, x)
    half_turn, rest, _ = PI_HALF[b.format]
    far = b.sub(b.fma(s, -2.0, half_turn), b.fma(w, 2.0, -rest))
    return b.copysign(b.select(large, far, b.add(s, w)), x)


def acos(b: MathBuilder, x: SSAValue) -> SSAValue:
    large, s, w = asin_parts(b, x)
    half_turn, rest, _ = PI_HALF[b.format]
    negative = b.is_negative(x)
    s_signed, w_signed = (b.select(negative, b.neg(v), v) for v in (s, w))
    near = b.sub(half_turn, b.sub(s_signed, b.sub(rest, w_signed)))
    far = b.select(negative, b.sub(half_turn, b.add(s, b.sub(w, rest))), b.add(s, w))
    return b.select(large, b.add(far, far), near)


def atan(b: MathBuilder, x: SSAValue) -> SSAValue:
    a = b.abs(x)
    swap = b.compare("ogt", a, 1.0)
    low, high = b.select(swap, 1.0, a), b.select(swap, a, 1.0)
    value = angle(b, low, high, b.select(swap, 2.0, 0.0), swap)
    return b.exact_near_zero(x, b.copysign(value, x))


def atan2(b: MathBuilder, y: SSAValue, x: SSAValue) -> SSAValue:
    """In which eighth of the turn the point is decides from which multiple of pi/4 its angle is measured, and how."""
    p, q = b.abs(y), b.abs(x)
    swap = b.compare("ogt", p, q)
    low, high = b.select(swap, q, p), b.select(swap, p, q)
    # the quotient of infinities is 1, of zeros 0
    endless = b.compare("oeq", high, inf)
    low = b.select(endless, b.select(b.compare("oeq", low, inf), 1.0, 0.0), low)
    high = b.select(endless, 1.0, b.select(b.compare("oeq", high, 0.0), 1.0, high))
    # low + high stays in range, and subnormal numbers become exact
    form = b.format
    huge, tiny = b.compare("ogt", high, 2.0 ** (form.bias - 1)), b.compare("olt", high, 2.0 ** -(form.bias // 2))
    scale = b.select(huge, 0.25, b.select(tiny, 2.0 ** (2 * form.fraction), 1.0))
    low, high = b.mul(low, scale), b.mul(high, scale)
    left = b.is_negative(x)
    start = b.select(swap, 2.0, b.select(left, 4.0, 0.0))
    value = b.copysign(angle(b, low, high, start, b.differ(swap, left)), y)
    return b.select(b.compare("uno", x, y), b.add(x, y), value)


def angle(b: MathBuilder, low: SSAValue, high: SSAValue, start: SSAValue, back: SSAValue) -> SSAValue:
    """start pi/4 + atan(low / high), or - where `back`; 0 <= low <= high.

    Above tan(pi/8): pi/4 + atan((low - high) / (low + high)).
    """
    middle = b.compare("ogt", low, b.mul(high, TAN_PI_8))
    t = b.div(b.select(middle, b.sub(low, high), low), b.select(middle, b.add(low, high), high))
    z = b.mul(t, t)
    w = b.mul(b.mul(t, z), b.horner(z, ATAN[b.format]))
    t, w = (b.select(back, b.neg(v), v) for v in (t, w))
    one = b.select(back, -1.0, 1.0)
    eighths = b.add(start, b.select(middle, one, 0.0))
    quarter, rest = (part / 2 for part in PI_HALF[b.format][:2])
    base = b.mul(eighths, quarter)
    base_low = b.fma(eighths, rest, b.fma(eighths, quarter, b.neg(base)))
    # t may be larger than the base only where that is 0
    total = b.add(base, t)
    return b.add(total, b.add(b.add(b.sub(base, total), t), b.add(w, base_low)))
