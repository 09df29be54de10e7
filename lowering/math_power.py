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


# ---- log2 x by tables
# By intervals of m, x = 2^e m: c near 1 / m, 1 in the interval that 1 is in; -log2 c with so few bits that its sum with
# an exponent is exact, and what is left of it, which for these c is nothing in f32 (Gal and Bachelis, 1991).
FIRST = {F32: 0x3F330000, F64: 0x3FE6600000000000}
"""The bits of the least m."""
INVERSES = {
    F32: (
        *(1.414363145828247, 1.355387568473816, 1.287300944328308, 1.2384082078933716),
        *(1.1846877336502075, 1.142250657081604, 1.1065996885299683, 1.0715739727020264),
        *(1.0331778526306152, 1.0, 0.9518073201179504, 0.8828942179679871),
        *(0.8394390940666199, 0.803688108921051, 0.7621539235115051, 0.7301344871520996),
    ),
    F64: (
        *(1.3989067077636719, 1.3403139114379883, 1.2864322662353516, 1.236715316772461),
        *(1.1906976699829102, 1.1479816436767578, 1.108224868774414, 1.0711297988891602),
        *(1.0364370346069336, 1.0, 0.9481477737426758, 0.8951053619384766),
        *(0.847681999206543, 0.8050317764282227, 0.7664670944213867, 0.7314281463623047),
    ),
}
LOG2_INVERSES = {
    F32: (
        *(-0.500152587890625, -0.4387054443359375, -0.364349365234375, -0.3084869384765625),
        *(-0.2445068359375, -0.1918792724609375, -0.1461334228515625, -0.0997314453125),
        *(-0.047088623046875, 0.0, 0.071258544921875, 0.1796875),
        *(0.25250244140625, 0.3152923583984375, 0.391845703125, 0.453765869140625),
    ),
    F64: (
        *(-0.48429975325711894, -0.4225709301135794, -0.3633754976945056, -0.3065134402104377),
        *(-0.25180714503608215, -0.19909957338268214, -0.1482506468653355, -0.09913331563188876),
        *(-0.05163247282007433, 0.0, 0.07681616674358338, 0.15987058435439394),
        *(0.23840494355454211, 0.31288236409409365, 0.3837042387294787, 0.45121195024808003),
        *(1.501570027247127e-14, -4.888383632062441e-14, 8.682699367989877e-14, -6.237324988960607e-14),
        *(2.83499311101114e-16, -4.871886457285387e-14, -1.8578645394098613e-14, 1.1230952692074941e-13),
        *(-3.656637045722949e-14, 0.0, -1.0902496605669323e-13, 9.41607289209312e-14),
        *(-5.085313371991092e-14, 2.0503671413898164e-14, -3.844026385112144e-15, -8.46492140503223e-14),
    ),
}
# log2(1 + r) = (r - r^2 / 2) log2 e + r^3 p(r), r up to 0.042 and 0.03
LOG2_TAIL = {
    F32: (0.48089826107025146, -0.3606736958026886, 0.2888897955417633, -0.24075612425804138),
    F64: (
        *(0.4808983469629878, -0.36067376022223835, 0.2885390081777904, -0.24044917351969156, 0.2060992915908262),
        *(-0.18033672350483107, 0.16029930442562604, -0.14450725922661783, 0.13137356366139183),
    ),
}


def log2_parts(b: MathBuilder, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """log2 x as a sum of two floats, about 33 or 65 bits in all, for 0 < x < inf."""
    e, m, place = normalized(b, x, FIRST[b.format])
    index = b.iand(b.shift_right(place, b.format.fraction - 4), 15)
    table = b.table([*INVERSES[b.format], *LOG2_INVERSES[b.format]])
    c, whole = b.entry(table, 0, index), b.add(e, b.entry(table, 16, index))
    product = b.mul(m, c)
    r, rounded = b.sub(product, 1.0), b.fma(m, c, b.neg(product))
    square = b.mul(r, r)
    r_low = b.fma(b.sub(square, r), rounded, rounded)  # over 1 + r, for what follows is log2(1 + r)
    s = b.fma(square, -0.5, r)
    s_low = b.add(b.fma(square, -0.5, b.sub(r, s)), b.fma(b.fma(r, r, b.neg(square)), -0.5, r_low))
    scale, scale_low = BASE2[b.format][1]
    high = b.mul(s, scale)
    low = b.fma(s_low, scale, b.fma(s, scale_low, b.fma(s, scale, b.neg(high))))
    low = b.fma(b.mul(square, r), b.halves(r, square, LOG2_TAIL[b.format]), low)
    if b.format is F64:
        low = b.add(low, b.entry(table, 32, index))
    total, low = fast_sum(b, whole, high, low)
    # The second may be 2^-10 of the first: times an f32's largest exponent 0.07, which 2^r allows, but an f64's 0.4.
    return fast_sum(b, total, low) if b.format is F64 else (total, low)


def fast_sum(b: MathBuilder, x: SSAValue, y: SSAValue, more: SSAValue | None = None) -> tuple[SSAValue, SSAValue]:
    """x + y, rounded, and what rounding took from it, + more; |x| >= |y| or x = 0 (Dekker, 1971)."""
    total = b.add(x, y)
    error = b.sub(y, b.sub(total, x))
    return total, error if more is None else b.add(more, error)


# ---- powers
def product_parts(b: MathBuilder, y: SSAValue, high: SSAValue, low: SSAValue) -> tuple[SSAValue, SSAValue]:
    """y (high + low) as a sum of two floats."""
    product = b.mul(y, high)
    return product, b.fma(y, low, b.fma(y, high, b.neg(product)))


def power(b: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Through the natural logarithm of f64."""
    a = b.abs(x)
    high, low = log_parts(b, a)
    product, product_low = product_parts(b, y, log_ends(b, a, high), low)
    return with_cases(b, x, y, exp(b, product, product_low))


def power_by_table(b: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Through the base 2 logarithm."""
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
    if b.shape and b.lookup == 16:
        return power_by_table(b, x, y)
    if b.format is F64:
        return power(b, x, y)
    wide = b.of(F64)
    return b.truncate(power(wide, wide.extend(x), wide.extend(y)))
