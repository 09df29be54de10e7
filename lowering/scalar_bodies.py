"""One row for each elementwise op of `nd`: its value for one element, over `arith` and `math`.

A row is a function of the body under construction, the op, and the operands' scalars. Semantics are those of the op's
reference: NaN-propagating max and min, integer division that rounds down and gives 0 for a divisor of 0 without ever
trapping, conversions that saturate. Scalars have no sign, so rows ask the op's types. `computed` gives rows f32 for f16
and bf16 and rounds what they return.
"""

# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    UnitAttr,
    bf16,
    f16,
    f32,
    f64,
    i1,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ..dialects.loop.combiners import NO_FLAGS, NO_OVERFLOW
from ..dialects.loop.linear import Linear
from ..dialects.loop.ops import IndexOp
from ..dialects.nd.bits import Bitcast
from ..dialects.nd.elementwise import Exp
from ..dialects.nd.op import NdOp
from ..dialects.nd.selection import Compare, Convert, Select
from ..dialects.nd.types import NUMPY, element, is_unsigned, stored, width
from .conversions import FORMATS, convert, rounded, widened
from .shifts import NONPOSITIVE, takes_off_greatest

INDEX = IndexType()
FLOAT_ORDER = {"eq": 1, "gt": 2, "ge": 3, "lt": 4, "le": 5, "ne": 13}
"""Ordered comparisons, and not equal or unordered."""
SIGNED_ORDER = {"eq": 0, "ne": 1, "lt": 2, "le": 3, "gt": 4, "ge": 5}
UNSIGNED_ORDER = {"eq": 0, "ne": 1, "lt": 6, "le": 7, "gt": 8, "ge": 9}


def floating(t: Attribute) -> bool:
    return t in (f32, f64, f16, bf16)


class Body:
    """A stage's body while it is built: ops at the end of one block, constants once."""

    def __init__(self, location: Attribute) -> None:
        self.block = Block()
        self.location: Any = location
        self._constants: dict[tuple[str, Attribute], SSAValue] = {}
        self._wide: dict[SSAValue, SSAValue] = {}

    def add(self, op: Operation) -> SSAValue:
        self.block.add_op(op)
        return op.results[0]

    def op(
        self, cls: type[Operation], *operands: SSAValue, to: Attribute | None = None, **props: Attribute
    ) -> SSAValue:
        """One op; its type is its first operand's unless given."""
        result = operands[0].type if to is None else to
        return self.add(cls.create(operands=operands, result_types=[result], properties=props, location=self.location))

    def float(self, cls: type[Operation], *operands: SSAValue) -> SSAValue:
        return self.op(cls, *operands, fastmath=NO_FLAGS)

    def wrapping(self, cls: type[Operation], *operands: SSAValue) -> SSAValue:
        return self.op(cls, *operands, overflowFlags=NO_OVERFLOW)

    def constant(self, value: float | int, t: Attribute) -> SSAValue:
        key = (repr(value), t)
        if key not in self._constants:
            attribute = FloatAttr(float(value), t) if floating(t) else IntegerAttr(int(value), t)  # pyright: ignore
            op = arith.ConstantOp.create(result_types=[t], properties={"value": attribute}, location=self.location)
            first = self.block.first_op
            if first is None:
                self.block.add_op(op)
            else:
                self.block.insert_op_before(op, first)
            self._constants[key] = op.results[0]
        return self._constants[key]

    def literal(self, value: float | int, dtype: Attribute) -> SSAValue:
        """A constant of an element type of the tensor level."""
        if dtype in FORMATS:
            value = int(np.asarray(NUMPY[dtype].type(value)).view(np.uint8))
        target = stored(dtype)
        if isinstance(target, IntegerType) and target != i1:
            bits = target.width.data
            value = (int(value) + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))
        return self.constant(value, target)

    def wide(self, x: SSAValue) -> SSAValue:
        """f16 and bf16 as f32; anything else as it is."""
        if x.type not in (f16, bf16):
            return x
        if x not in self._wide:
            self._wide[x] = widened(self, x)
        return self._wide[x]

    def like(self, value: float | int, x: SSAValue) -> SSAValue:
        return self.constant(value, x.type)

    def index(self, form: Linear, t: Attribute) -> SSAValue:
        """A coordinate as a number of type `t`."""
        at = self.add(IndexOp.make(form, self.location))
        if t == i32:  # more of them fit into a vector
            return self.op(arith.IndexCastOp, at, to=i32)
        return convert(self, self.op(arith.IndexCastOp, at, to=i64), t)

    def compare(self, kind: str, x: SSAValue, y: SSAValue, unsigned: bool = False) -> SSAValue:
        if floating(x.type):
            predicate = IntegerAttr(FLOAT_ORDER[kind], i64)
            return self.op(arith.CmpfOp, x, y, to=i1, predicate=predicate, fastmath=NO_FLAGS)
        order = UNSIGNED_ORDER if unsigned or x.type == i1 else SIGNED_ORDER
        return self.op(arith.CmpiOp, x, y, to=i1, predicate=IntegerAttr(order[kind], i64))

    def select(self, p: SSAValue, x: SSAValue, y: SSAValue) -> SSAValue:
        return self.op(arith.SelectOp, p, x, y, to=x.type)


Row = Callable[..., SSAValue]


def computed(b: Body, op: NdOp, scalars: Sequence[SSAValue]) -> SSAValue:
    """The value of an elementwise op, in the type that stands for its own."""
    row = ROWS[op.name]
    if isinstance(op, Convert | Select | Bitcast):
        return row(b, op, *scalars)
    out = row(b, op, *map(b.wide, scalars))
    target = stored(element(op.type))
    if out.type == target:
        return out
    return rounded(b, out, target)


def unsigned(op: NdOp) -> bool:
    return is_unsigned(element(op.operands[0].type))


def either(float_: type[Operation], integer: type[Operation]) -> Row:
    """One op for floats, one for integers."""

    def row(b: Body, op: NdOp, x: SSAValue, y: SSAValue) -> SSAValue:
        return b.float(float_, x, y) if floating(x.type) else b.wrapping(integer, x, y)

    return row


def extreme(float_: type[Operation], signed: type[Operation], natural: type[Operation]) -> Row:
    """One op for floats, one for integers with a sign and one for those without."""

    def row(b: Body, op: NdOp, x: SSAValue, y: SSAValue) -> SSAValue:
        if floating(x.type):
            return b.float(float_, x, y)
        return b.op(natural if unsigned(op) else signed, x, y)

    return row


def unary(cls: type[Operation]) -> Row:
    return lambda b, op, x: b.float(cls, x)


def exponential(b: Body, op: NdOp, x: SSAValue) -> SSAValue:
    value = b.float(math.ExpOp, x)
    if isinstance(op, Exp) and takes_off_greatest(op):
        cast(Operation, value.owner).attributes[NONPOSITIVE] = UnitAttr()
    return value


def bits(cls: type[Operation]) -> Row:
    return lambda b, op, x, y: b.op(cls, x, y)


def neg(b: Body, op: NdOp, x: SSAValue) -> SSAValue:
    return b.float(arith.NegfOp, x) if floating(x.type) else b.wrapping(arith.SubiOp, b.like(0, x), x)


def divide(b: Body, op: NdOp, x: SSAValue, y: SSAValue) -> SSAValue:
    if floating(x.type):
        return b.float(arith.DivfOp, x, y)
    zero, one = b.like(0, x), b.like(1, x)
    if width(x.type) <= 32:
        q = ratio(b, op, x, y, math.FloorOp)
        return b.select(b.compare("eq", y, zero), zero, q)
    if unsigned(op):
        nothing = b.compare("eq", y, zero)
        return b.select(nothing, zero, b.op(arith.DivUIOp, x, b.select(nothing, one, y)))
    # floor: q - 1 where a remainder is left and its sign is not the divisor's; 0 and -1 never reach the division
    is_zero, is_minus = b.compare("eq", y, zero), b.compare("eq", y, b.like(-1, x))
    safe = b.select(b.op(arith.OrIOp, is_zero, is_minus), one, y)
    q = b.op(arith.DivSIOp, x, safe)
    rest = b.wrapping(arith.SubiOp, x, b.wrapping(arith.MuliOp, q, safe))
    opposite = b.compare("lt", b.op(arith.XOrIOp, rest, safe), zero)
    down = b.op(arith.AndIOp, b.compare("ne", rest, zero), opposite)
    q = b.select(down, b.wrapping(arith.SubiOp, q, one), q)
    q = b.select(is_minus, b.wrapping(arith.SubiOp, zero, x), q)
    return b.select(is_zero, zero, q)


def ratio(b: Body, op: NdOp, x: SSAValue, y: SSAValue, rounding: type[Operation]) -> SSAValue:
    """x / y of integers of at most 32 bits, rounded by `rounding`; vectors have no integer division. Not for y = 0.

    A ratio that is not whole is at least 1/|y| from the next integer, 1/|x| of itself: more than half a unit in the
    last place of a float with more bits than x, so the float's ratio is rounded to the same integer.
    """
    wide, whole = (f32, i32) if width(x.type) <= 16 else (f64, i64)
    natural = unsigned(op)
    safe = b.select(b.compare("eq", y, b.like(0, y)), b.like(1, y), y)
    xs, ys = (b.op(arith.UIToFPOp if natural else arith.SIToFPOp, v, to=wide) for v in (x, safe))
    q = b.float(rounding, b.float(arith.DivfOp, xs, ys))
    return b.op(arith.TruncIOp, b.op(arith.FPToSIOp, q, to=whole), to=x.type)


def absolute(b: Body, op: NdOp, x: SSAValue) -> SSAValue:
    if floating(x.type):
        return b.float(math.AbsFOp, x)
    if unsigned(op):
        return x
    return b.select(b.compare("lt", x, b.like(0, x)), b.wrapping(arith.SubiOp, b.like(0, x), x), x)


def sign(b: Body, op: NdOp, x: SSAValue) -> SSAValue:
    zero = b.like(0, x)  # zeros and NaN stay as they are
    if unsigned(op):
        return b.select(b.compare("eq", x, zero), zero, b.like(1, x))
    below = b.select(b.compare("lt", x, zero), b.like(-1, x), x)
    return b.select(b.compare("gt", x, zero), b.like(1, x), below)


def rsqrt(b: Body, op: NdOp, x: SSAValue) -> SSAValue:
    return b.float(arith.DivfOp, b.like(1, x), b.float(math.SqrtOp, x))


def invert(b: Body, op: NdOp, x: SSAValue) -> SSAValue:
    return b.op(arith.XOrIOp, x, b.like(1 if x.type == i1 else -1, x))


def compare(b: Body, op: NdOp, x: SSAValue, y: SSAValue) -> SSAValue:
    assert isinstance(op, Compare)
    return b.compare(op.kind.data.name, x, y, unsigned(op))


ROWS: dict[str, Row] = {
    "nd.neg": neg,
    "nd.add": either(arith.AddfOp, arith.AddiOp),
    "nd.sub": either(arith.SubfOp, arith.SubiOp),
    "nd.mul": either(arith.MulfOp, arith.MuliOp),
    "nd.div": divide,
    "nd.pow": lambda b, op, x, y: b.float(math.PowFOp, x, y),
    "nd.max": extreme(arith.MaximumfOp, arith.MaxSIOp, arith.MaxUIOp),
    "nd.min": extreme(arith.MinimumfOp, arith.MinSIOp, arith.MinUIOp),
    "nd.abs": absolute,
    "nd.sign": sign,
    "nd.floor": unary(math.FloorOp),
    "nd.sqrt": unary(math.SqrtOp),
    "nd.rsqrt": rsqrt,
    "nd.exp": exponential,
    "nd.log": unary(math.LogOp),
    "nd.tanh": unary(math.TanhOp),
    "nd.sin": unary(math.SinOp),
    "nd.cos": unary(math.CosOp),
    "nd.and": bits(arith.AndIOp),
    "nd.or": bits(arith.OrIOp),
    "nd.xor": bits(arith.XOrIOp),
    "nd.not": invert,
    "nd.compare": compare,
    "nd.select": lambda b, op, p, x, y: b.select(p, x, y),
    "nd.bitcast": lambda b, op, x: bitcast(b, x, stored(op.properties["to"])),
    "nd.convert": lambda b, op, x: convert(b, x, op.properties["to"], element(op.operands[0].type)),
}
"""Every elementwise op; `nd-to-loop` refuses what has no row."""


MODES = {"sum": "add", "prod": "mul", "max": "max", "min": "min", "any": "or", "all": "and"}
"""The loop level's combiner for each reduction."""


def combiner(word: str, dtype: Attribute) -> str:
    """The combiner of a reduction of this element type."""
    mode = MODES[word]
    return f"u{mode}" if mode in ("max", "min") and is_unsigned(dtype) and dtype != i1 else mode


def combined(dtype: Attribute) -> Attribute:
    """The type in which elements of this one are combined."""
    return f32 if dtype in (f16, bf16) else stored(dtype)


def bitcast(b: Body, x: SSAValue, to: Attribute) -> SSAValue:
    return x if x.type == to else b.op(arith.BitcastOp, x, to=to)


def product(b: Body, factors: list[SSAValue]) -> SSAValue:
    out = factors[0]
    for f in factors[1:]:
        out = b.float(arith.MulfOp, out, f) if floating(out.type) else b.wrapping(arith.MuliOp, out, f)
    return out
