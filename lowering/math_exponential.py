"""exp, exp2, expm1 and the hyperbolic functions: a multiple of ln 2 taken off, a polynomial, the exponent's bits."""

from __future__ import annotations

from xdsl.ir import SSAValue

from .math_builder import F32, F64, MathBuilder

LOG2E = 1.4426950408889634
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
# 2^r = 1 + r q(r) on [-1/2, 1/2]
EXP2 = {
    F32: (
        *(0.6931471824645996, 0.24022646248340607, 0.055503588169813156, 0.00961864273995161),
        *(0.001339136273600161, 0.0001529637083876878),
    ),
    F64: (
        *(0.6931471805599454, 0.2402265069591011, 0.05550410866481607, 0.009618129107601408),
        *(0.0013333558147475778, 0.00015403530448900076, 1.5252732960569348e-05, 1.321543896527439e-06),
        *(1.0178384025063879e-07, 7.073208990732955e-09, 4.410872802089026e-10),
    ),
}
# Beyond them the function overflows, or is less than half of the least subnormal number.
EXP_RANGE = {F32: (-104.0, 89.0), F64: (-746.0, 710.0)}
EXP2_RANGE = {F32: (-151.0, 129.0), F64: (-1076.0, 1025.0)}
# Below it 2^(n - 1) is no normal number.
EXP_SMALL = {F32: -86.0, F64: -707.0}
EXP2_SMALL = {F32: -125.0, F64: -1021.0}


def magic(b: MathBuilder) -> float:
    """x + magic - magic rounds x to an integer, which the low bits of x + magic hold."""
    return 1.5 * 2.0**b.format.fraction


def reduce_exp(
    b: MathBuilder, x: SSAValue, unit: float = 1.0, start: int = 0, exact: bool = True
) -> tuple[SSAValue, SSAValue]:
    """x = n unit ln 2 + r; returns the bits that hold n + start, and r. Not `exact`: n is so small that ln 2 as one
    float will do."""
    high_ln2, low_ln2 = LN2[b.format]
    t = b.fma(x, LOG2E / unit, magic(b) + start)
    n = b.sub(t, magic(b) + start)
    r = b.fma(n, -high_ln2 * unit, x)
    return b.bits(t), b.fma(n, -low_ln2 * unit, r) if exact else r


def reduce_with_power(
    b: MathBuilder, x: SSAValue, unit: float = 1.0, more: int = 0, exact: bool = True
) -> tuple[SSAValue, SSAValue]:
    """x = n unit ln 2 + r; returns 2^(n + more), which has the lowest of the bits in its exponent, and r."""
    bits, r = reduce_exp(b, x, unit, b.format.bias + more, exact)
    return b.from_bits(b.shift_left(bits, b.format.fraction)), r


def scaled(
    b: MathBuilder, p: SSAValue, n: SSAValue, small: SSAValue, halvings: int = 0, none: SSAValue | None = None
) -> SSAValue:
    """p 2^(n - halvings), rounded once: by 2^(n - 1 - halvings) and 2; where that power is not normal, `small`, by
    2^(n + 63 - halvings) and 2^-63. 0 where `none` is left, and p and n may be anything; the power is 0 there, too, as
    products that underflow take a processor many times as long. A machine may have one instruction for all of it
    (lowering/emit/float_parts.py)."""
    fraction, bias = b.format.fraction, b.format.bias
    offset = b.iselect(small, (bias + 63 - halvings) << fraction, (bias - 1 - halvings) << fraction)
    power = b.iadd(b.shift_left(n, fraction), offset)
    value = b.mul(p, b.from_bits(power if none is None else b.iselect(none, 0, power)))
    if b.space is not None:  # threads of a GPU: products by a chosen factor are slow there
        value = b.select(small, b.mul(value, 2.0**-63), b.add(value, value))
    else:
        value = b.mul(value, b.select(small, 2.0**-63, 2.0))
    return value if none is None else b.select(none, 0.0, value)


def exp(b: MathBuilder, x: SSAValue, low: SSAValue | None = None, halvings: int = 0) -> SSAValue:
    """exp(x + low) / 2^halvings, |low| small."""
    least, greatest = EXP_RANGE[b.format]
    inside = x if b.nonpositive else b.at_most(x, greatest + halvings)
    n, r = reduce_exp(b, inside)
    if low is not None:  # anything where x is infinite
        r = b.select(b.compare("oeq", x, inside), b.add(r, low), r)
    p = b.fma(b.fma(b.horner(r, EXP[b.format]), r, 1.0), r, 1.0)
    small, none = b.compare("olt", x, EXP_SMALL[b.format]), b.compare("olt", x, least)
    return scaled(b, p, n, small, halvings, none)


def exp2(b: MathBuilder, x: SSAValue, low: SSAValue | None = None) -> SSAValue:
    """2^(x + low), |low| small; where x is inf and low NaN, NaN."""
    least, greatest = EXP2_RANGE[b.format]
    inside = b.at_most(x, greatest)
    t = b.add(inside, magic(b))
    r = b.sub(inside, b.sub(t, magic(b)))
    r = r if low is None else b.add(r, low)
    p = b.fma(b.horner(r, EXP2[b.format]), r, 1.0)
    small, none = b.compare("olt", x, EXP2_SMALL[b.format]), b.compare("olt", x, least)
    return scaled(b, p, b.bits(t), small, none=none)


def quarter_expm1(b: MathBuilder, x: SSAValue) -> SSAValue:
    """(exp(x) - 1) / 4 = 2^(n - 2) expm1(r) + (2^(n - 2) - 1/4): in range where the whole is."""
    scale, r = reduce_with_power(b, x, more=-2)
    p = b.fma(b.mul(r, r), b.horner(r, EXP[b.format]), r)
    return b.fma(scale, p, b.sub(scale, 0.25))


def expm1(b: MathBuilder, x: SSAValue) -> SSAValue:
    least = -20.0 if b.format is F32 else -40.0  # -1 already
    limited = b.at_least(b.at_most(x, EXP_RANGE[b.format][1]), least)
    return b.exact_near_zero(x, b.mul(quarter_expm1(b, limited), 4.0))


def tanh(b: MathBuilder, x: SSAValue) -> SSAValue:
    """t / (t + 1) with t = (exp(2a) - 1) / 2 = 2^n (expm1(2r) / 2) + (2^n - 1) / 2, a = |x| = n ln 2 / 2 + r."""
    greatest = 9.02 if b.format is F32 else 19.1
    a = b.at_most(b.abs(x), greatest)
    scale, r = reduce_with_power(b, a, unit=0.5, exact=b.format is F64)
    square = b.mul(r, r)
    p = b.fma(square, b.halves(r, square, [c * 2.0 ** (k + 1) for k, c in enumerate(EXP[b.format])]), r)
    t = b.fma(scale, p, b.fma(scale, 0.5, -0.5))
    return b.copysign(b.div(t, b.add(t, 1.0)), x)


def sinh(b: MathBuilder, x: SSAValue) -> SSAValue:
    """u + u / (2u + 1) with u = (exp(|x|) - 1) / 2."""
    greatest = 89.5 if b.format is F32 else 710.5
    quarter = quarter_expm1(b, b.at_most(b.abs(x), greatest))
    u = b.add(quarter, quarter)
    limited = b.at_most(u, 2.0**100)  # the quotient is 1/2 from there on, for an infinity too
    value = b.add(u, b.div(limited, b.fma(limited, 2.0, 1.0)))
    return b.exact_near_zero(x, b.copysign(value, x))


def cosh(b: MathBuilder, x: SSAValue) -> SSAValue:
    """e + 1 / (4e) with e = exp(|x|) / 2."""
    e = exp(b, b.abs(x), halvings=1)
    return b.add(e, b.div(0.25, e))
