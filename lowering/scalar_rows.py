"""The rows of division, remainders, roundings, bits and the functions of `math`, one for each op (scalar_bodies.py).

Importing this module adds them to `ROWS`. What `arith` leaves undefined never reaches it: a divisor of 0, the smallest
integer over -1, shifts by the width or more. Whether integers are unsigned is told by the op's operands.
"""

# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import IntegerAttr, IntegerType, f32, f64, i1, i32, i64
from xdsl.ir import Operation, SSAValue

from ..dialects.nd.op import NdOp
from ..dialects.nd.philox import NAMES as PHILOX_WORDS
from ..dialects.nd.philox import Philox, philox
from ..dialects.nd.threefry import Threefry, threefry
from ..dialects.nd.types import element, ui32, width
from ..dialects.vector.arith import RemfOp
from .conversions import convert
from .scalar_bodies import ROWS, UNSIGNED_ORDER, Body, Row, floating, ratio, unary, unsigned


def binary(cls: type[Operation]) -> Row:
    return lambda b, op, x, y: b.float(cls, x, y)


def bits(cls: type[Operation]) -> Row:
    return lambda b, op, x: b.op(cls, x)


# Division.


def safe_divisor(b: Body, op: NdOp, y: SSAValue) -> SSAValue:
    """y, or 1 where it is 0 or (signed) -1, by which the remainder is 0."""
    bad = b.compare("eq", y, b.like(0, y))
    if not unsigned(op):
        bad = b.op(arith.OrIOp, bad, b.compare("eq", y, b.like(-1, y)))
    return b.select(bad, b.like(1, y), y)


def quotient(b: Body, op: NdOp, x: SSAValue, y: SSAValue) -> SSAValue:
    zero = b.like(0, y)
    if width(x.type) <= 32:
        q = ratio(b, op, x, y, math.TruncOp)
    elif unsigned(op):
        q = b.op(arith.DivUIOp, x, safe_divisor(b, op, y))
    else:
        q = b.op(arith.DivSIOp, x, safe_divisor(b, op, y))
        q = b.select(b.compare("eq", y, b.like(-1, y)), b.wrapping(arith.SubiOp, zero, x), q)
    return b.select(b.compare("eq", y, zero), zero, q)


def rem(b: Body, op: NdOp, x: SSAValue, y: SSAValue) -> SSAValue:
    if floating(x.type):
        return b.float(RemfOp, x, y)
    if width(x.type) <= 32:  # of a divisor of 0 it is x
        q = ratio(b, op, x, y, math.TruncOp)
        return b.wrapping(arith.SubiOp, x, b.wrapping(arith.MuliOp, q, y))
    r = b.op(arith.RemUIOp if unsigned(op) else arith.RemSIOp, x, safe_divisor(b, op, y))
    return b.select(b.compare("eq", y, b.like(0, y)), x, r)


def mod(b: Body, op: NdOp, x: SSAValue, y: SSAValue) -> SSAValue:
    """y more than `rem` where that has the other sign."""
    r = rem(b, op, x, y)
    if unsigned(op):
        return r
    zero = b.like(0, x)
    if floating(x.type):
        opposite = b.op(arith.XOrIOp, b.compare("lt", r, zero), b.compare("lt", y, zero))
        more, same = b.float(arith.AddfOp, r, y), b.float(math.CopySignOp, r, y)
    else:
        opposite = b.compare("lt", b.op(arith.XOrIOp, r, y), zero)
        more, same = b.wrapping(arith.AddiOp, r, y), r
    return b.select(b.op(arith.AndIOp, b.compare("ne", r, zero), opposite), more, same)


# Limits.


def clamp(b: Body, op: NdOp, low: SSAValue, x: SSAValue, high: SSAValue) -> SSAValue:
    if floating(x.type):
        return b.float(arith.MinimumfOp, b.float(arith.MaximumfOp, x, low), high)
    most, least = (arith.MinUIOp, arith.MaxUIOp) if unsigned(op) else (arith.MinSIOp, arith.MaxSIOp)
    return b.op(most, b.op(least, x, low), high)


def copysign(b: Body, op: NdOp, x: SSAValue, y: SSAValue) -> SSAValue:
    if element(op.operands[0].type) in (f32, f64):
        return b.float(math.CopySignOp, x, y)
    # LLVM fails where the bits of two bf16 meet in one logical operation
    magnitude = b.float(math.AbsFOp, x)
    code = b.op(arith.BitcastOp, y, to=i32)
    return b.select(b.compare("lt", code, b.like(0, code)), b.float(arith.NegfOp, magnitude), magnitude)


# Bits.


def inside(b: Body, x: SSAValue, amount: SSAValue) -> SSAValue:
    """Is it a shift that leaves a bit? Negative amounts are large unsigned ones."""
    assert isinstance(x.type, IntegerType)
    predicate = IntegerAttr(UNSIGNED_ORDER["lt"], i64)
    return b.op(arith.CmpiOp, amount, b.like(x.type.width.data, x), to=i1, predicate=predicate)


def shl(b: Body, op: NdOp, x: SSAValue, y: SSAValue) -> SSAValue:
    zero, ok = b.like(0, x), inside(b, x, y)
    return b.select(ok, b.wrapping(arith.ShLIOp, x, b.select(ok, y, zero)), zero)


def shr(b: Body, op: NdOp, x: SSAValue, y: SSAValue) -> SSAValue:
    assert isinstance(x.type, IntegerType)
    zero, ok = b.like(0, x), inside(b, x, y)
    if unsigned(op):
        return b.select(ok, b.op(arith.ShRUIOp, x, b.select(ok, y, zero)), zero)
    return b.op(arith.ShRSIOp, x, b.select(ok, y, b.like(x.type.width.data - 1, x)))


# Random words.


def random_word(b: Body, op: NdOp, *scalars: SSAValue) -> SSAValue:
    assert isinstance(op, Threefry)
    k0, k1, c0, c1 = scalars

    def rotate(x: SSAValue, distance: int) -> SSAValue:
        left = b.wrapping(arith.ShLIOp, x, b.like(distance, x))
        return b.op(arith.OrIOp, left, b.op(arith.ShRUIOp, x, b.like(32 - distance, x)))

    x, y = threefry(
        (k0, k1),
        (c0, c1),
        lambda p, q: b.wrapping(arith.AddiOp, p, q),
        lambda p, q: b.op(arith.XOrIOp, p, q),
        rotate,
        lambda n: b.like(n, k0),
    )
    word = op.word.data.name
    return x if word == "first" else y if word == "second" else b.op(arith.XOrIOp, x, y)


def philox_word(b: Body, op: NdOp, *scalars: SSAValue) -> SSAValue:
    assert isinstance(op, Philox)

    def product(x: SSAValue, factor: int) -> tuple[SSAValue, SSAValue]:
        wide = b.op(arith.ExtUIOp, x, to=i64)
        whole = b.wrapping(arith.MuliOp, wide, b.like(factor, wide))
        high = b.op(arith.ShRUIOp, whole, b.like(32, wide))
        return b.op(arith.TruncIOp, high, to=i32), b.op(arith.TruncIOp, whole, to=i32)

    out = philox(
        scalars[:2],
        scalars[2:],
        lambda p, q: b.op(arith.XOrIOp, p, q),
        lambda p, n: b.wrapping(arith.AddiOp, p, b.literal(n, ui32)),
        product,
    )
    return out[PHILOX_WORDS.index(op.word.data.name)]


# Lengths.


def hypot(b: Body, op: NdOp, x: SSAValue, y: SSAValue) -> SSAValue:
    """f32 in f64, whose range holds the squares; f64 scaled by a power of two where its own does not."""
    if x.type == f32:
        wide = [convert(b, v, f64) for v in (x, y)]
        length = convert(b, b.float(math.SqrtOp, sum_of_squares(b, *wide)), f32)
    else:
        top = b.float(arith.MaximumfOp, b.float(math.AbsFOp, x), b.float(math.AbsFOp, y))
        large, small = b.compare("gt", top, b.like(2.0**510, x)), b.compare("lt", top, b.like(2.0**-500, x))
        up, down, one = b.like(2.0**600, x), b.like(2.0**-600, x), b.like(1, x)
        scale, back = b.select(large, down, b.select(small, up, one)), b.select(large, up, b.select(small, down, one))
        scaled = [b.float(arith.MulfOp, v, scale) for v in (x, y)]
        length = b.float(arith.MulfOp, b.float(math.SqrtOp, sum_of_squares(b, *scaled)), back)
    infinity = b.like(float("inf"), x)
    infinite = [b.compare("eq", b.float(math.AbsFOp, v), infinity) for v in (x, y)]
    return b.select(b.op(arith.OrIOp, *infinite), infinity, length)


def sum_of_squares(b: Body, x: SSAValue, y: SSAValue) -> SSAValue:
    return b.float(math.FmaOp, x, x, b.float(arith.MulfOp, y, y))


# Series with constant coefficients.


def coefficients(b: Body, op: NdOp, x: SSAValue) -> list[SSAValue]:
    given: Any = op.properties["coefficients"]
    return [b.like(c, x) for c in given.data]


def polynomial(b: Body, op: NdOp, x: SSAValue) -> SSAValue:
    """Horner's rule."""
    *rest, total = coefficients(b, op, x)
    for c in reversed(rest):
        total = b.float(math.FmaOp, total, x, c)
    return total


def chebyshev(b: Body, op: NdOp, x: SSAValue) -> SSAValue:
    """Clenshaw's rule: b_k = c_k + 2 x b_(k+1) - b_(k+2); the sum is c_0 + x b_1 - b_2."""
    first, *rest = coefficients(b, op, x)
    twice, one, two = b.float(arith.AddfOp, x, x), b.like(0, x), b.like(0, x)
    for c in reversed(rest):
        one, two = b.float(math.FmaOp, twice, one, b.float(arith.SubfOp, c, two)), one
    return b.float(math.FmaOp, x, one, b.float(arith.SubfOp, first, two))


ROWS.update(
    {
        "nd.threefry": random_word,
        "nd.philox": philox_word,
        "nd.barrier": lambda b, op, x: x,
        "nd.quotient": quotient,
        "nd.rem": rem,
        "nd.mod": mod,
        "nd.clamp": clamp,
        "nd.copysign": copysign,
        "nd.ceil": unary(math.CeilOp),
        "nd.trunc": unary(math.TruncOp),
        "nd.round": unary(math.RoundEvenOp),
        "nd.round_away": unary(math.RoundOp),
        "nd.shl": shl,
        "nd.shr": shr,
        "nd.popcount": bits(math.CtPopOp),
        "nd.count_leading_zeros": bits(math.CountLeadingZerosOp),
        "nd.hypot": hypot,
        "nd.polynomial": polynomial,
        "nd.chebyshev": chebyshev,
        "nd.exp2": unary(math.Exp2Op),
        "nd.expm1": unary(math.ExpM1Op),
        "nd.log1p": unary(math.Log1pOp),
        "nd.log2": unary(math.Log2Op),
        "nd.log10": unary(math.Log10Op),
        "nd.cbrt": unary(math.CbrtOp),
        "nd.erf": unary(math.ErfOp),
        "nd.tan": unary(math.TanOp),
        "nd.asin": unary(math.AsinOp),
        "nd.acos": unary(math.AcosOp),
        "nd.atan": unary(math.AtanOp),
        "nd.atan2": binary(math.Atan2Op),
        "nd.sinh": unary(math.SinhOp),
        "nd.cosh": unary(math.CoshOp),
        "nd.asinh": unary(math.AsinhOp),
        "nd.acosh": unary(math.AcoshOp),
        "nd.atanh": unary(math.AtanhOp),
    }
)
