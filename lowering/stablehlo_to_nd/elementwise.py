"""Elementwise ops: most are nd's own; where StableHLO means something else, it is built of several.

    of i1           add, maximum are or; multiply, minimum are and
    divide          of integers towards zero, -1 (every bit) by 0, as XLA; nd.quotient gives 0 there
    power           of integers by squaring; of a negative exponent 0 but for bases of 1 and -1
    shifts          by the bits of the amount: `logical` of a signed number as if it had no sign, and the other way
    compare         TOTALORDER by the bits: -NaN < -inf < ... < -0 < +0 < ... < +NaN

Elements of fewer than eight bits and quantised ones come here as what `narrow` and `quantized` have made of them.
"""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import f16, f32, f64, i1, i8, i16, i32, i64
from xdsl.ir import Attribute, Operation

from ...dialects.nd import functions as F
from ...dialects.nd import movement
from ...dialects.nd.bits import Bitcast, bitcast
from ...dialects.nd.constant import Constant, full
from ...dialects.nd.elementwise import (
    Abs,
    Add,
    And,
    Cos,
    Exp,
    Floor,
    Log,
    Max,
    Min,
    Mul,
    Neg,
    Not,
    Or,
    Pow,
    Rsqrt,
    Sign,
    Sin,
    Sqrt,
    Sub,
    Tanh,
    Xor,
)
from ...dialects.nd.op import Array, NdOp, bind
from ...dialects.nd.selection import COMPARE, Compare, Select, convert
from ...dialects.nd.types import INTEGER, is_complex, is_float, ui2, ui4, ui8, ui16, ui32, ui64, width
from ...dialects.stablehlo.access import number, word
from .conversion import Conversion
from .table import Converter, converter

SHORT = {2: ui2, 4: ui4}
UNSIGNED_OF: dict[Attribute, Attribute] = {i8: ui8, i16: ui16, i32: ui32, i64: ui64}
SIGNED_OF: dict[Attribute, Attribute] = {u: s for s, u in UNSIGNED_OF.items()}

OPS: dict[str, type[NdOp]] = {
    "abs": Abs,
    "add": Add,
    "and": And,
    "cosine": Cos,
    "exponential": Exp,
    "floor": Floor,
    "log": Log,
    "maximum": Max,
    "minimum": Min,
    "multiply": Mul,
    "negate": Neg,
    "not": Not,
    "or": Or,
    "rsqrt": Rsqrt,
    "sign": Sign,
    "sine": Sin,
    "sqrt": Sqrt,
    "subtract": Sub,
    "tanh": Tanh,
    "xor": Xor,
}
"""StableHLO's op -> nd's, with the same meaning."""

OF_BOOL: dict[str, type[NdOp]] = {"add": Or, "maximum": Or, "multiply": And, "minimum": And}

FUNCTIONS: dict[str, str] = {
    "atan2": "atan2",
    "cbrt": "cbrt",
    "ceil": "ceil",
    "count_leading_zeros": "count_leading_zeros",
    "exponential_minus_one": "expm1",
    "is_finite": "isfinite",
    "log_plus_one": "log1p",
    "logistic": "sigmoid",
    "popcnt": "popcount",
    "remainder": "rem",
    "round_nearest_afz": "round_away",
    "round_nearest_even": "round_",
    "shift_left": "left_shift",
    "tan": "tan",
}
"""StableHLO's op -> the function of the array language."""


def row(cls: type[NdOp], of_bool: type[NdOp] | None = None) -> Converter:
    """The converter of an op that is one of nd's; of i1 another one."""

    def convert_(op: Operation, operands: list[Array], c: Conversion) -> Array:
        if len(operands) > 1:
            c.alike(operands)
        if cls in (Max, Min) and is_complex(operands[0].dtype):
            return extremum(cls is Max, *operands)
        return bind(cls if of_bool is None or operands[0].dtype != i1 else of_bool, *operands)

    return convert_


def function(name: str) -> Converter:
    """The converter of an op that is a function of the array language."""

    def convert_(op: Operation, operands: list[Array], c: Conversion) -> Array:
        if len(operands) > 1:
            c.alike(operands)
        if name == "atan2" and is_complex(operands[0].dtype):
            from .complex_numbers import atan2

            return atan2(*operands)
        return getattr(F, name)(*operands)

    return convert_


def extremum(greatest: bool, x: Array, y: Array) -> Array:
    """Of complex numbers by their parts, of others nd's."""
    if is_complex(x.dtype):
        from .complex_numbers import larger, smaller

        return (larger if greatest else smaller)(x, y)
    return bind(Max if greatest else Min, x, y)


for _name, _cls in OPS.items():
    converter("stablehlo." + _name)(row(_cls, OF_BOOL.get(_name)))
for _name, _function in FUNCTIONS.items():
    converter("stablehlo." + _name)(function(_function))


def splat_of(a: Array) -> Any:
    """The number that every element of a constant is; None for anything else."""
    owner = a.value.owner
    while isinstance(owner, movement.Broadcast | movement.Reshape):
        owner = owner.operands[0].owner
    return owner.splat if isinstance(owner, Constant) else None


def spread(a: Array, like: Array) -> Array:
    """A scalar as an array of another's shape."""
    return a if a.shape == like.shape else movement.broadcast_to(a, like.shape)


def all_bits(a: Array) -> Array:
    return full((1 << width(a.dtype)) - 1 if a.dtype in SIGNED_OF else -1, a.type)


# Arithmetic.


@converter("stablehlo.divide")
def divide(op: Operation, operands: list[Array], c: Conversion) -> Array:
    c.alike(operands)
    return division(*operands)


def division(x: Array, y: Array) -> Array:
    if x.dtype not in INTEGER:
        return F.div(x, y)
    out = F.quotient(x, y)
    if splat_of(y):
        return out
    return bind(Select, bind(Compare, y, full(0, y.type), kind=COMPARE["eq"]), all_bits(x), out)


@converter("stablehlo.power")
def power(op: Operation, operands: list[Array], c: Conversion) -> Array:
    c.alike(operands)
    return raised(*operands)


def raised(x: Array, y: Array) -> Array:
    if x.dtype not in INTEGER:
        return bind(Pow, x, y)
    exponent = splat_of(y)
    if isinstance(exponent, int) and exponent >= 0:
        return F.power(x, exponent)
    out = by_squaring(x, bits_of(y))
    if x.dtype in SIGNED_OF:
        return out
    unit = bind(Or, F.equal(x, full(1, x.type)), F.equal(x, full(-1, x.type)))
    below = F.less(y, full(0, y.type))
    return bind(Select, bind(And, below, bind(Not, unit)), full(0, x.type), out)


def by_squaring(x: Array, y: Array) -> Array:
    """x^y = (x^2)^(y floordiv 2) * x^(y mod 2), while any exponent has a bit left."""
    from ...dialects.nd import control
    from ...dialects.nd.reduction import reduce

    types = [x.type, x.type, y.type]

    def go_on(out: Array, x: Array, y: Array) -> list[Array]:
        return [reduce("any", F.not_equal(y, full(0, y.type)), list(range(y.ndim)))]

    def step(out: Array, x: Array, y: Array) -> list[Array]:
        one = full(1, y.type)
        odd = F.not_equal(bind(And, y, one), full(0, y.type))
        return [bind(Select, odd, bind(Mul, out, x), out), bind(Mul, x, x), F.right_shift(y, one)]

    blocks = [control.region(fn, types) for fn in (go_on, step)]
    return control.while_([], [full(1, x.type), x, y], *blocks)[0]


def bits_of(x: Array) -> Array:
    """An integer seen as one without a sign."""
    return bind(Bitcast, x, to=UNSIGNED_OF[x.dtype]) if x.dtype in UNSIGNED_OF else x


@converter("stablehlo.shift_right_logical")
def shift_right_logical(op: Operation, operands: list[Array], c: Conversion) -> Array:
    c.alike(operands)
    x, y = operands
    return bitcast(F.right_shift(bits_of(x), bits_of(y)), x.dtype)


@converter("stablehlo.shift_right_arithmetic")
def shift_right_arithmetic(op: Operation, operands: list[Array], c: Conversion) -> Array:
    c.alike(operands)
    x, y = (bitcast(a, SIGNED_OF.get(a.dtype, a.dtype)) for a in operands)
    return bitcast(F.right_shift(x, y), operands[0].dtype)


@converter("stablehlo.reduce_precision")
def reduce_precision(op: Operation, operands: list[Array], c: Conversion) -> Array:
    from ...dialects.nd.special_functions import reduce_precision

    return reduce_precision(operands[0], number(op, "exponent_bits"), number(op, "mantissa_bits"))


# Choice.

TOTAL_ORDER: dict[Attribute, Attribute] = {f64: i64, f32: i32, f16: i16}


def total_order(x: Array) -> Array:
    """Floats as integers in their order: those with the sign bit have all others turned."""
    to = TOTAL_ORDER.get(x.dtype, i16 if width(x.dtype) == 16 else i8)
    n = bind(Bitcast, x, to=to)
    turned = bind(Xor, n, full((1 << (width(to) - 1)) - 1, n.type))
    return bind(Select, F.less(n, full(0, n.type)), turned, n)


@converter("stablehlo.compare")
def compare(op: Operation, operands: list[Array], c: Conversion) -> Array:
    c.alike(operands)
    return compared(op, *operands)


def compared(op: Operation, x: Array, y: Array) -> Array:
    if word(op, "compare_type") == "TOTALORDER" and is_float(x.dtype) and not is_complex(x.dtype):
        x, y = total_order(x), total_order(y)
    if is_complex(x.dtype) and (direction := word(op, "comparison_direction")) not in ("EQ", "NE"):
        from .complex_numbers import ordered

        return ordered(direction, x, y)
    return bind(Compare, x, y, kind=COMPARE[word(op, "comparison_direction").lower()])


@converter("stablehlo.select")
def select(op: Operation, operands: list[Array], c: Conversion) -> Array:
    p, x, y = operands
    c.alike([x, y])
    if p.shape:
        c.alike([p, x])
    return bind(Select, spread(p, x), x, y)


@converter("stablehlo.clamp")
def clamp(op: Operation, operands: list[Array], c: Conversion) -> Array:
    low, x, high = operands
    for bound in (low, high):
        if bound.shape:
            c.alike([bound, x])
    return clamped(spread(low, x), x, spread(high, x))


def clamped(low: Array, x: Array, high: Array) -> Array:
    from ...dialects.nd.arithmetic import Clamp
    from ...dialects.nd.types import takes

    if x.dtype == i1:
        return bind(And, bind(Or, x, low), high)
    if not takes(Clamp.DTYPES, x.dtype):
        return extremum(False, extremum(True, x, low), high)
    return bind(Clamp, low, x, high)


# Other types.


@converter("stablehlo.convert")
def convert_(op: Operation, operands: list[Array], c: Conversion) -> Array:
    return converted(operands[0], c.declared(op))


def converted(x: Array, to: Attribute) -> Array:
    """A complex number loses its imaginary part in any other type, and has 0 there from it."""
    if x.dtype.name == "complex" and to.name != "complex":
        x = F.not_equal(x, full(0, x.type)) if to == i1 else F.real(x)
    return convert(x, to)


@converter("stablehlo.bitcast_convert")
def bitcast_convert(op: Operation, operands: list[Array], c: Conversion) -> Array:
    return recast(operands[0], c.declared(op))


def recast(x: Array, to: Attribute) -> Array:
    """The bits of elements as others: of a narrower type along a new last dimension, the lowest first, or the last
    dimension as the parts of wider ones."""
    if x.dtype == to:
        return x
    if to.name == "complex" or x.dtype.name == "complex":
        return recast_complex(x, to)
    wide, narrow = width(x.dtype), width(to)
    if wide == narrow:
        return bind(Bitcast, x, to=to)
    if wide > narrow:
        x, count = as_bits(x), wide // narrow
        parts = movement.broadcast_to(movement.reshape(x, (*x.shape, 1)), (*x.shape, count))
        shift = F.iota(parts.shape, x.ndim, parts.dtype) * narrow
        return from_bits(F.right_shift(parts, shift), to)
    parts = convert(as_bits(x), unsigned(narrow))
    shifted = F.left_shift(parts, F.iota(parts.shape, parts.ndim - 1, parts.dtype) * wide)
    return from_bits(joined(shifted), to)


def unsigned(bits: int) -> Attribute:
    """The integer without a sign that holds so many bits."""
    return next(t for t in (ui8, ui16, ui32, ui64) if width(t) >= bits)


def as_bits(x: Array) -> Array:
    bits = width(x.dtype)
    return convert(bitcast(x, SHORT[bits]), ui8) if bits in SHORT else bitcast(x, unsigned(bits))


def from_bits(x: Array, to: Attribute) -> Array:
    bits = width(to)
    return bitcast(convert(x, SHORT[bits] if bits in SHORT else unsigned(bits)), to)


def joined(x: Array) -> Array:
    """The parts along the last dimension, which share no bit, in one."""
    from ...dialects.nd.reduction import reduce

    return reduce("sum", x, [x.ndim - 1])


def recast_complex(x: Array, to: Attribute) -> Array:
    """A complex number is two parts, the real one first."""
    if x.dtype.name == "complex":
        return recast(F.stack([F.real(x), F.imag(x)], -1), to)
    part: Attribute = to.element_type  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    pairs = recast(x, part)  # pyright: ignore[reportUnknownArgumentType]
    last = pairs.ndim - 1
    re, im = (
        movement.reshape(
            movement.slice_(pairs, [0] * last + [k], [1] * pairs.ndim, (*pairs.shape[:-1], 1)), pairs.shape[:-1]
        )
        for k in (0, 1)
    )
    return F.complex_(re, im)


@converter("stablehlo.complex")
def complex_(op: Operation, operands: list[Array], c: Conversion) -> Array:
    c.alike(operands)
    return F.complex_(*operands)


@converter("stablehlo.real")
def real(op: Operation, operands: list[Array], c: Conversion) -> Array:
    return F.real(operands[0]) if operands[0].dtype.name == "complex" else operands[0]


@converter("stablehlo.imag")
def imag(op: Operation, operands: list[Array], c: Conversion) -> Array:
    return F.imag(operands[0]) if operands[0].dtype.name == "complex" else full(0, operands[0].type)
