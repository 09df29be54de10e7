"""The cube root, the error function and the remainder of a division."""

from __future__ import annotations

from math import inf

from xdsl.ir import SSAValue

from .math_builder import F32, F64, MathBuilder
from .math_exponential import exp
from .math_rare import repeated, unless

# ---- cube root


def cbrt(b: MathBuilder, x: SSAValue) -> SSAValue:
    """a^(-1/3) from a third of the bits of a = |x| and two steps of order four; its square times a, corrected."""
    form = b.format
    up, down = (2.0**24, 2.0**-8) if form is F32 else (2.0**54, 2.0**-18)
    magnitude = b.abs(x)
    small = b.compare("olt", magnitude, 2.0 ** (1 - form.bias))
    a = b.select(small, b.mul(magnitude, up), magnitude)
    half = 16 if form is F32 else 32
    third = (1 << half) // 3 + 1
    start = 0x54A2FA8C if form is F32 else 0x553EF0FF289DD796
    upper = b.shift_right(b.imul(b.shift_right(b.bits(a), half), third), half)
    y = b.from_bits(b.isub(start, b.shift_left(upper, half)))
    for _ in range(2):  # h = 1 - a y^3: y (1 + h/3 + 2h^2/9 + 14h^3/81)
        h = b.fma(b.neg(b.mul(a, y)), b.mul(y, y), 1.0)
        y = b.fma(b.mul(y, h), b.horner(h, (1 / 3, 2 / 9, 14 / 81)), y)
    square = b.mul(y, y)
    t = b.mul(a, square)
    power = b.mul(t, t)
    error = b.fma(power, t, b.neg(a))  # t^3 - a, the square's rounding apart
    error = b.fma(b.fma(t, t, b.neg(power)), t, error)
    t = b.fma(b.neg(error), b.mul(square, 1 / 3), t)
    t = b.copysign(b.select(small, b.mul(t, down), t), x)
    usual = b.both(b.compare("olt", magnitude, inf), b.compare("ogt", magnitude, 0.0))
    return b.select(usual, t, x)


# ---- error function
# erf x = x + x p(x^2) up to 1
ERF = {
    F32: (
        *(0.12837916612625122, -0.3761262595653534, 0.11283578723669052, -0.026853347197175026),
        *(0.005187162198126316, -0.0007997852517291903, 7.806898065609857e-05),
    ),
    F64: (
        *(0.1283791670955126, -0.3761263890318375, 0.11283791670954858, -0.02686617064507296),
        *(0.00522397762478137, -0.0008548326978765149, 0.00012055331037551108, -1.4925593518728226e-05),
        *(1.6460972954153763e-06, -1.6350026192077243e-07, 1.4657883530919529e-08, -1.1365670671826837e-09),
        5.94525558422318e-11,
    ),
}
# and 1 - exp(-g(x)) from there on
ERFC = {
    F32: (
        *(-0.0001884665689431131, 1.1295802593231201, 0.6332165598869324, 0.10842189192771912),
        *(-0.02521020732820034, 0.004205241799354553, -0.00044146645814180374, 2.169738945667632e-05),
    ),
    F64: (
        *(2.2944197933853186e-08, 1.1283789651233498, 0.6366204992207535, 0.10277151031234465),
        *(-0.019129475293866886, -0.00020012402416123655, 0.0016724139153147708, -0.0005500163248315489),
        *(-2.3724918056012842e-05, 0.00011179425519691467, -6.524111390263332e-05, 2.446419243485243e-05),
        *(-6.8407788983774736e-06, 1.4835920962274146e-06, -2.5081158719229685e-07, 3.2589217897234685e-08),
        *(-3.151253495115292e-09, 2.1380058339493814e-10, -9.083401047117972e-12, 1.8179810224748626e-13),
    ),
}


def erf(b: MathBuilder, x: SSAValue) -> SSAValue:
    a = b.at_most(b.abs(x), 4.0 if b.format is F32 else 6.0)
    far = b.sub(1.0, exp(b, b.neg(b.horner(a, ERFC[b.format]))))
    near = b.fma(x, b.horner(b.mul(x, x), ERF[b.format]), x)
    return b.select(b.compare("ole", a, 1.0), near, b.copysign(far, x))


# ---- remainder


def remainder(b: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
    """x - y trunc(x / y), exactly.

    The remainder of a quotient rounded to nearest is a float, so one fused operation gives it; where the quotient is
    whole only because it is large, that takes as many bits off as a float has, and more steps follow.
    """
    limit = 2.0**b.format.fraction

    def large(inner: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
        p, q = inner.abs(x), inner.abs(y)
        finite = inner.both(inner.compare("olt", p, inf), inner.compare("ogt", q, 0.0))
        return inner.both(finite, inner.compare("oge", inner.div(p, q), limit))

    def whole(inner: MathBuilder, x: SSAValue, r: SSAValue, q: SSAValue) -> SSAValue:
        """r in (-q, q), as it must be for the sign of x."""
        r = inner.select(inner.compare("olt", r, 0.0), inner.add(r, q), r)
        return inner.copysign(r, x)

    def long(inner: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
        p, q = inner.abs(x), inner.abs(y)
        steps, jump = (16, 2.0**90) if inner.format is F32 else (44, 2.0**700)
        higher = inner.mul(q, jump)
        divisors = [q, higher, inner.mul(higher, jump)]

        def step(deep: MathBuilder, r: SSAValue) -> SSAValue:
            """By a multiple of y where the quotient by y overflows."""
            value = divisor = None
            for d in reversed(divisors):
                quotient = deep.div(r, d)
                if value is None or divisor is None:
                    value, divisor = quotient, d
                else:
                    fits = deep.compare("olt", deep.abs(quotient), inf)
                    value, divisor = deep.select(fits, quotient, value), deep.select(fits, d, divisor)
            assert value is not None and divisor is not None
            short = deep.compare("olt", deep.abs(value), limit)
            value = deep.select(short, deep.trunc(value), value)
            return deep.fma(deep.neg(value), divisor, r)

        return whole(inner, x, repeated(inner, steps, p, step), q)

    p, q = b.abs(x), b.abs(y)
    r = b.fma(b.neg(b.trunc(b.div(p, q))), q, p)
    r = b.select(b.both(b.compare("oeq", q, inf), b.compare("olt", p, inf)), p, r)
    return unless(b, large, [x, y], whole(b, x, r, q), long)
