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
# By intervals of m, x = 2^e m: c near 1 / m, 1 in the one that 1 is in, and -log2 c in two parts, the first of 14 bits.
FIRST_BITS = 0x3F330000
INVERSES = (
    *(1.39890718460083, 1.3403141498565674, 1.2864322662353516, 1.2367150783538818),
    *(1.1906976699829102, 1.147982120513916, 1.1082251071929932, 1.0711297988891602),
    *(1.0364372730255127, 1.0, 0.9481481909751892, 0.8951049447059631),
    *(0.8476821780204773, 0.8050314784049988, 0.7664670944213867, 0.7314286231994629),
)
LOG2_INVERSES = (
    *(-0.48431396484375, -0.42254638671875, -0.3634033203125, -0.3065185546875),
    *(-0.2518310546875, -0.1990966796875, -0.14825439453125, -0.09912109375),
    *(-0.0516357421875, 0.0, 0.07684326171875, 0.15985107421875),
    *(0.2384033203125, 0.3128662109375, 0.38372802734375, 0.45123291015625),
)
LOG2_INVERSES_LOW = (
    *(1.371982398268301e-05, -2.4800025130389258e-05, 2.7822617994388565e-05, 5.392605089582503e-06),
    *(2.3909651645226404e-05, -3.49294737134187e-06, 3.437290843066876e-06, -1.2221881661389489e-05),
    *(2.9374946279858705e-06, 0.0, -2.7729833163903095e-05, 2.0182615116937086e-05),
    *(1.3189132914703805e-06, 1.6687243260093965e-05, -2.378861427132506e-05, -2.1900437786825933e-05),
)
# log2(1 + r) = (r - r^2 / 2) log2 e + r^3 p(r), r up to 0.03
LOG2_TAIL = (0.48089832067489624, -0.3606737554073334, 0.288720041513443, -0.2406075894832611)


def log2_parts(b: MathBuilder, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """log2 x as a sum of two f32, about 33 bits in all, for 0 < x < inf."""
    e, m, place = normalized(b, x, FIRST_BITS)
    index = b.iand(b.shift_right(place, b.format.fraction - 4), 15)
    table = b.table([*INVERSES, *LOG2_INVERSES, *LOG2_INVERSES_LOW])
    c, whole, whole_low = (b.entry(table, first, index) for first in (0, 16, 32))
    product = b.mul(m, c)
    r, r_low = b.sub(product, 1.0), b.fma(m, c, b.neg(product))
    half = b.mul(r, 0.5)
    square = b.mul(half, r)
    s = b.sub(r, square)
    s_low = b.add(b.sub(b.sub(r, s), square), b.sub(r_low, b.fma(half, r, b.neg(square))))
    scale, scale_low = BASE2[F32][1]
    high = b.mul(s, scale)
    low = b.fma(s_low, scale, b.fma(s, scale_low, b.fma(s, scale, b.neg(high))))
    tail = b.horner(r, [2 * c for c in LOG2_TAIL])
    low = b.add(b.fma(b.mul(square, r), tail, low), whole_low)
    whole = b.add(e, whole)
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
    product_low = b.select(b.compare("olt", b.abs(product), 1000.0), product_low, 0.0)
    return with_cases(b, x, y, exp(b, product, product_low))


def power_by_table(b: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Through the base 2 logarithm of f32."""
    a = b.abs(x)
    high, low = log2_parts(b, a)
    return with_cases(b, x, y, exp2(b, *product_parts(b, y, log_ends(b, a, high), low)))


def with_cases(b: MathBuilder, x: SSAValue, y: SSAValue, value: SSAValue) -> SSAValue:
    """x^y from |x|^y, which is NaN also where y log |x| is 0 times infinity."""
    rare = b.either(b.is_negative(x), b.compare("uno", value, value))
    return choose(b, b.any(rare), lambda inner: cases(inner, x, y, value), value)


def cases(b: MathBuilder, x: SSAValue, y: SSAValue, value: SSAValue) -> SSAValue:
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
