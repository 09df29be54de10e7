"""Powers: exp(y log |x|), the logarithm and its product in two parts, as its error grows with the product.

The cases that C's pow has beside that come after, where any element is one.
"""

from __future__ import annotations

from math import inf, nan

from xdsl.ir import SSAValue

from .math_builder import F32, F64, MathBuilder
from .math_exponential import exp, exp2
from .math_log_table import ENTRIES, LEAST, NATURAL, index_of
from .math_logarithm import BASE2, log_ends, normalized, split
from .math_rare import choose

# ---- log x of f64
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
    exact = b.mul(e, NATURAL.of_two[0])
    twice = b.add(high, high)
    total = b.add(exact, twice)
    total_low = b.add(b.add(b.sub(exact, total), twice), b.fma(e, NATURAL.of_two[1], b.add(low, low)))
    return total, total_low


# ---- log2 x by tables
# As in math_log_table.py, but these c have so few bits that r = m c - 1 is exact, and -log2 c is two parts, the first
# with so few bits that its sum with an exponent is exact, the second over log2 e.
INVERSES = (
    *(1.0, 0.9375, 0.890625, 0.84375),
    *(0.796875, 0.765625, 0.71875, 0.6875),
    *(0.671875, 1.0, 1.0, 1.0),
    *(1.3125, 1.25, 1.125, 1.0625),
)
LOG2_INVERSES = {
    F32: (
        *(0.0, 0.093109130859375, 0.1671142578125, 0.2451171875),
        *(0.32757568359375, 0.385284423828125, 0.4764404296875, 0.5405731201171875),
        *(0.57373046875, 0.0, 0.0, 0.0),
        *(-0.3923187255859375, -0.321929931640625, -0.169921875, -0.08746337890625),
        *(0.0, 1.895980119570595e-07, -2.9611089757963782e-06, -3.250627059969702e-06),
        *(-7.108676527423086e-07, 3.973158982262248e-06, -1.6536720295334817e-06, -3.284654212620808e-06),
        *(3.310850615889649e-06, 0.0, 0.0, 0.0),
        *(9.030371188600839e-07, 1.2731403558063903e-06, -2.1670846308552427e-06, 3.7267469110702223e-07),
    ),
    F64: (
        *(0.0, 0.09310940439149817, 0.16710998583516812, 0.2451124978365442),
        *(0.3275746580284249, 0.3852901558848316, 0.47643804394306244, 0.5405683813626183),
        *(0.5737352452979394, 0.0, 0.0, 0.0),
        *(-0.39231742277866033, -0.3219280948874257, -0.16992500144237965, -0.0874628412502716),
        *(0.0, -1.1577817802893773e-14, 6.252671317627684e-14, -8.838937510416364e-15),
        *(5.511780456291964e-14, -2.7611378309863525e-14, -5.2201957903779034e-14, 5.852438607299551e-14),
        *(-2.5881473012821643e-14, 0.0, 0.0, 0.0),
        *(-6.928647568074667e-14, 4.390296872292114e-14, 4.664184901539855e-14, -4.7004830978293826e-14),
    ),
}
# log2(1 + r) = (r - r^2 / 2) log2 e + r^3 p(r) for r from -0.051 to 0.055
LOG2_TAIL = {
    F32: (0.48089781403541565, -0.3606749475002289, 0.2892704904079437, -0.23987983167171478),
    F64: (
        *(0.4808983469629878, -0.360673760222241, 0.2885390081779059, -0.24044917348014616, 0.2060992913885031),
        *(-0.1803368828347913, 0.16029955378799152, -0.1442672930927771, 0.13112481949959628, -0.12101342405457952),
        0.11421642324997767,
    ),
}


def log2_parts(b: MathBuilder, x: SSAValue) -> tuple[SSAValue, SSAValue, SSAValue]:
    """log2 x as a sum of floats, about 33 or 63 bits in all, x not negative. The second may be 2^-11 of the first; the
    third is NaN where that is infinite."""
    e, m = normalized(b, x, LEAST)
    index, table = index_of(b, m), b.table([*INVERSES, *LOG2_INVERSES[b.format]])
    c, known, more = (b.entry(table, first, index) for first in range(0, 3 * ENTRIES, ENTRIES))
    whole = log_ends(b, x, b.add(e, known))
    r = b.fma(m, c, -1.0)
    square = b.mul(r, r)
    square_low = b.fma(r, r, b.neg(square))
    s = b.fma(square, -0.5, r)
    slope = b.fma(r, 1 / 3, -0.5) if b.format is F64 else -0.5  # what the square is multiplied by, r^3 in view
    s_low = b.add(b.fma(square, -0.5, b.sub(r, s)), b.fma(square_low, slope, more))
    scale, scale_low = BASE2[b.format].of_e
    high = b.mul(s, scale)
    low = b.fma(s, scale_low, b.fma(s, scale, b.neg(high)))
    even, odd = (b.horner(square, LOG2_TAIL[b.format][k::2]) for k in (0, 1))
    low = b.fma(square, b.fma(r, even, b.mul(square, odd)), low)
    total = b.add(whole, high)
    rounded = b.sub(high, b.sub(total, whole))  # taken from it (Dekker, 1971)
    return total, low, b.fma(s_low, scale, rounded)


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
    return with_cases(b, x, y, product, exp(b, product, product_low))


def power_by_table(b: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Through the base 2 logarithm."""
    high, middle, low = log2_parts(b, b.abs(x))
    product, product_low = product_parts(b, y, high, low)
    total = b.fma(y, middle, product)
    total_low = b.fma(y, middle, b.add(b.sub(product, total), product_low))
    return with_cases(b, x, y, product, exp2(b, total, total_low))


def with_cases(b: MathBuilder, x: SSAValue, y: SSAValue, product: SSAValue, value: SSAValue) -> SSAValue:
    """x^y from |x|^y, which is NaN also where y log |x|, the product, is, and may be where it is infinite."""
    rare = b.any(b.is_negative(x), b.compare("uno", value, value))
    return choose(b, rare, lambda inner: cases(inner, x, y, product, value), value)


def cases(b: MathBuilder, x: SSAValue, y: SSAValue, product: SSAValue, value: SSAValue) -> SSAValue:
    """With the sign, and what C's pow says of a negative base, of 1 and of y = 0."""
    value = b.select(b.compare("oeq", product, inf), inf, b.select(b.compare("oeq", product, -inf), 0.0, value))
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
