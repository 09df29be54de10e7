"""Powers: exp(y log |x|), the logarithm and its product in two parts, as its error grows with the product.

The cases that C's pow has beside that come after, where any element is one.
"""

from __future__ import annotations

from math import inf, nan

from xdsl.ir import SSAValue

from .math_builder import F32, F64, MathBuilder
from .math_exponential import exp, exp2
from .math_logarithm import BASE2, log_ends, normalized, split
from .math_rare import choose

# ---- log x of f64
# atanh(s) = s (1 + z / 3 + z^2 g(z)), z = s^2, s up to (sqrt 2 - 1) / (sqrt 2 + 1)
ATANH = (
    *(0.20000000000000015, 0.14285714285669004, 0.11111111135663404, 0.09090904105460941),
    *(0.07692788731654072, 0.06642934418772871, 0.06457356091967545),
)
THIRD = (0.3333333333333333, 1.850371707708594e-17)
LN2_SPLIT = (6.93147180369123816490e-01, 1.90821492927058770002e-10)
"""The first has so few bits that its product with an exponent is exact."""


def log_parts(b: MathBuilder, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """log x as a sum of two f64, about 64 bits in all, for 0 < x < inf."""
    e, f = split(b, x)
    d = b.add(f, 2.0)
    inverse = b.div(1.0, d)
    s = b.mul(f, inverse)
    remainder = b.fma(s, b.neg(b.sub(f, b.sub(d, 2.0))), b.fma(b.neg(s), d, f))
    s_low = b.mul(remainder, inverse)
    z = b.mul(s, s)
    z_low = b.fma(s, s, b.neg(z))
    z_low = b.fma(b.add(s, s), s_low, z_low)
    third = b.mul(z, THIRD[0])
    third_low = b.fma(z_low, THIRD[0], b.fma(z, THIRD[1], b.fma(z, THIRD[0], b.neg(third))))
    square = b.mul(z, z)
    rest = b.mul(square, b.halves(z, square, ATANH))
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


# ---- log2 x of f32
# By intervals of m, x = 2^e m: c near 1 / m, and -log2 c, which for these c has 16 bits and is right to 35 (Gal and
# Bachelis, 1991). In the interval that 1 is in, c is 1.
FIRST_BITS = 0x3F330000
INVERSES = (
    *(1.414363145828247, 1.355387568473816, 1.287300944328308, 1.2384082078933716),
    *(1.1846877336502075, 1.142250657081604, 1.1065996885299683, 1.0715739727020264),
    *(1.0331778526306152, 1.0, 0.9518073201179504, 0.8828942179679871),
    *(0.8394390940666199, 0.803688108921051, 0.7621539235115051, 0.7301344871520996),
)
LOG2_INVERSES = (
    *(-0.500152587890625, -0.4387054443359375, -0.364349365234375, -0.3084869384765625),
    *(-0.2445068359375, -0.1918792724609375, -0.1461334228515625, -0.0997314453125),
    *(-0.047088623046875, 0.0, 0.071258544921875, 0.1796875),
    *(0.25250244140625, 0.3152923583984375, 0.391845703125, 0.453765869140625),
)
# log2(1 + r) = (r - r^2 / 2) log2 e + r^3 p(r), r up to 0.042
LOG2_TAIL = (0.48089826107025146, -0.3606736958026886, 0.2888897955417633, -0.24075612425804138)


def log2_parts(b: MathBuilder, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """log2 x as a sum of two f32, about 33 bits in all, for 0 < x < inf."""
    e, m, place = normalized(b, x, FIRST_BITS)
    index = b.iand(b.shift_right(place, b.format.fraction - 4), 15)
    table = b.table([*INVERSES, *LOG2_INVERSES])
    c, whole = b.entry(table, 0, index), b.add(e, b.entry(table, 16, index))
    product = b.mul(m, c)
    r, rounded = b.sub(product, 1.0), b.fma(m, c, b.neg(product))
    square = b.mul(r, r)
    r_low = b.fma(b.sub(square, r), rounded, rounded)  # over 1 + r, for what follows is log2(1 + r)
    s = b.fma(square, -0.5, r)
    s_low = b.add(b.fma(square, -0.5, b.sub(r, s)), b.fma(b.fma(r, r, b.neg(square)), -0.5, r_low))
    scale, scale_low = BASE2[F32][1]
    high = b.mul(s, scale)
    low = b.fma(s_low, scale, b.fma(s, scale_low, b.fma(s, scale, b.neg(high))))
    low = b.fma(b.mul(square, r), b.horner(r, LOG2_TAIL), low)
    total = b.add(whole, high)
    return total, b.add(low, b.sub(high, b.sub(total, whole)))


# ---- powers
def product_parts(b: MathBuilder, y: SSAValue, high: SSAValue, low: SSAValue) -> tuple[SSAValue, SSAValue]:
    """y (high + low) as a sum of two floats."""
    product = b.mul(y, high)
    return product, b.fma(y, low, b.fma(y, high, b.neg(product)))


def power(b: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Through the logarithm of f64."""
    a = b.abs(x)
    high, low = log_parts(b, a)
    product, product_low = product_parts(b, y, log_ends(b, a, high), low)
    return with_cases(b, x, y, exp(b, product, product_low))


def power_by_table(b: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Through the base 2 logarithm of f32."""
    a = b.abs(x)
    high, low = log2_parts(b, a)
    product, product_low = product_parts(b, y, log_ends(b, a, high), low)
    return with_cases(b, x, y, exp2(b, product, product_low))


def with_cases(b: MathBuilder, x: SSAValue, y: SSAValue, value: SSAValue) -> SSAValue:
    """x^y from |x|^y, which is NaN also where y log |x| is 0 times infinity."""
    rare = b.either(b.is_negative(x), b.compare("uno", value, value))
    return choose(b, b.any(rare), lambda inner: cases(inner, x, y, value), value)


def cases(b: MathBuilder, x: SSAValue, y: SSAValue, value: SSAValue) -> SSAValue:
    """With the sign, and what C's pow says of a negative base, of 1 and of y = 0."""
    whole = b.compare("oeq", b.floor(y), y)
    half = b.mul(y, 0.5)
    odd = b.both(whole, b.compare("une", b.floor(half), half))
    value = b.select(b.both(b.is_negative(x), odd), b.neg(value), value)
    # a negative base to a fraction
    fraction = b.compare("une", b.floor(y), y)
    undefined = b.both(b.both(b.compare("olt", x, 0.0), b.compare("ogt", x, -inf)), fraction)
    value = b.select(undefined, nan, value)
    # x^0 = 1^y = (-1)^inf = 1, whatever the other
    one = b.either(b.compare("oeq", x, 1.0), b.compare("oeq", y, 0.0))
    one = b.either(one, b.both(b.compare("oeq", b.abs(x), 1.0), b.compare("oeq", b.abs(y), inf)))
    return b.select(one, 1.0, value)


def pow_(b: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
    if b.format is F64:
        return power(b, x, y)
    if b.shape and b.lookup == 16:
        return power_by_table(b, x, y)
    wide = b.of(F64)
    return b.truncate(power(wide, wide.extend(x), wide.extend(y)))
