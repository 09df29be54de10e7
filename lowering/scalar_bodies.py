"""One row for each elementwise op of `nd`: its value for one element, over `arith` and `math`.

A row is a function of the body under construction, the op, and the operands' scalars. Semantics are those of the op's
reference: NaN-propagating max and min, integer division that rounds down and gives 0 for a divisor of 0 without ever
trapping, conversions that saturate.
"""

# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import FloatAttr, IndexType, IntegerAttr, IntegerType, f32, f64, i1, i64
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ..dialects.loop.combiners import NO_FLAGS, NO_OVERFLOW
from ..dialects.loop.linear import Linear
from ..dialects.loop.ops import IndexOp
from ..dialects.nd.op import NdOp
from ..dialects.nd.selection import Compare

INDEX = IndexType()
FLOAT_ORDER = {"eq": 1, "gt": 2, "ge": 3, "lt": 4, "le": 5, "ne": 13}
"""Ordered comparisons, and not equal or unordered."""
SIGNED_ORDER = {"eq": 0, "ne": 1, "lt": 2, "le": 3, "gt": 4, "ge": 5}
UNSIGNED_ORDER = {"eq": 0, "ne": 1, "lt": 6, "le": 7, "gt": 8, "ge": 9}


def floating(t: Attribute) -> bool:
    return t in (f32, f64)


class Body:
    """A stage's body while it is built: ops at the end of one block, constants once."""

    def __init__(self, location: Attribute) -> None:
        self.block = Block()
        self.location: Any = location
        self._constants: dict[tuple[str, Attribute], SSAValue] = {}

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

    def like(self, value: float | int, x: SSAValue) -> SSAValue:
        return self.constant(value, x.type)

    def index(self, form: Linear, t: Attribute) -> SSAValue:
        """A coordinate as a number of type `t`."""
        at = self.add(IndexOp.make(form, self.location))
        integer = t if isinstance(t, IntegerType) and t != i1 else i64
        out = self.op(arith.IndexCastOp, at, to=integer)
        return convert(self, out, t)

    def compare(self, kind: str, x: SSAValue, y: SSAValue) -> SSAValue:
        if floating(x.type):
            predicate = IntegerAttr(FLOAT_ORDER[kind], i64)
            return self.op(arith.CmpfOp, x, y, to=i1, predicate=predicate, fastmath=NO_FLAGS)
        order = UNSIGNED_ORDER if x.type == i1 else SIGNED_ORDER
        return self.op(arith.CmpiOp, x, y, to=i1, predicate=IntegerAttr(order[kind], i64))

    def select(self, p: SSAValue, x: SSAValue, y: SSAValue) -> SSAValue:
        return self.op(arith.SelectOp, p, x, y, to=x.type)


Row = Callable[..., SSAValue]


def either(float_: type[Operation], integer: type[Operation], wraps: bool = True) -> Row:
    """One op for floats, one for integers."""

    def row(b: Body, op: NdOp, x: SSAValue, y: SSAValue) -> SSAValue:
        if floating(x.type):
            return b.float(float_, x, y)
        return b.wrapping(integer, x, y) if wraps else b.op(integer, x, y)

    return row


def unary(cls: type[Operation]) -> Row:
    return lambda b, op, x: b.float(cls, x)


def bits(cls: type[Operation]) -> Row:
    return lambda b, op, x, y: b.op(cls, x, y)


def neg(b: Body, op: NdOp, x: SSAValue) -> SSAValue:
    return b.float(arith.NegfOp, x) if floating(x.type) else b.wrapping(arith.SubiOp, b.like(0, x), x)


def divide(b: Body, op: NdOp, x: SSAValue, y: SSAValue) -> SSAValue:
    if floating(x.type):
        return b.float(arith.DivfOp, x, y)
    # floor: q - 1 where a remainder is left and its sign is not the divisor's; 0 and -1 never reach the division
    zero, one = b.like(0, x), b.like(1, x)
    is_zero, is_minus = b.compare("eq", y, zero), b.compare("eq", y, b.like(-1, x))
    safe = b.select(b.op(arith.OrIOp, is_zero, is_minus), one, y)
    q = b.op(arith.DivSIOp, x, safe)
    rest = b.wrapping(arith.SubiOp, x, b.wrapping(arith.MuliOp, q, safe))
    opposite = b.compare("lt", b.op(arith.XOrIOp, rest, safe), zero)
    down = b.op(arith.AndIOp, b.compare("ne", rest, zero), opposite)
    q = b.select(down, b.wrapping(arith.SubiOp, q, one), q)
    q = b.select(is_minus, b.wrapping(arith.SubiOp, zero, x), q)
    return b.select(is_zero, zero, q)


def absolute(b: Body, op: NdOp, x: SSAValue) -> SSAValue:
    if floating(x.type):
        return b.float(math.AbsFOp, x)
    return b.select(b.compare("lt", x, b.like(0, x)), b.wrapping(arith.SubiOp, b.like(0, x), x), x)


def sign(b: Body, op: NdOp, x: SSAValue) -> SSAValue:
    zero = b.like(0, x)  # zeros and NaN stay as they are
    below = b.select(b.compare("lt", x, zero), b.like(-1, x), x)
    return b.select(b.compare("gt", x, zero), b.like(1, x), below)


def rsqrt(b: Body, op: NdOp, x: SSAValue) -> SSAValue:
    return b.float(arith.DivfOp, b.like(1, x), b.float(math.SqrtOp, x))


def invert(b: Body, op: NdOp, x: SSAValue) -> SSAValue:
    return b.op(arith.XOrIOp, x, b.like(1 if x.type == i1 else -1, x))


def compare(b: Body, op: NdOp, x: SSAValue, y: SSAValue) -> SSAValue:
    assert isinstance(op, Compare)
    return b.compare(op.kind.data.name, x, y)


def convert(b: Body, x: SSAValue, to: Attribute) -> SSAValue:
    """One element in another type."""
    of = x.type
    if of == to:
        return x
    if to == i1:
        return b.compare("ne", x, b.like(0, x))
    if floating(of):
        if floating(to):
            return b.op(arith.ExtFOp if to == f64 else arith.TruncFOp, x, to=to)
        return saturated(b, x, to)
    if floating(to):
        return b.op(arith.UIToFPOp if of == i1 else arith.SIToFPOp, x, to=to)
    if of == i1:
        return b.op(arith.ExtUIOp, x, to=to)
    return b.op(arith.ExtSIOp if to == i64 else arith.TruncIOp, x, to=to)


def saturated(b: Body, x: SSAValue, to: Attribute) -> SSAValue:
    """Towards zero; the nearest integer there is for what is out of range, 0 for NaN."""
    assert isinstance(to, IntegerType)
    top = 1 << (to.width.data - 1)
    low, high = b.like(float(-top), x), b.like(float(top), x)
    below, above = b.compare("lt", x, low), b.compare("ge", x, high)
    inside = b.op(arith.AndIOp, b.compare("ge", x, low), b.compare("lt", x, high))
    whole = b.op(arith.FPToSIOp, b.select(inside, x, b.like(0, x)), to=to)
    return b.select(above, b.constant(top - 1, to), b.select(below, b.constant(-top, to), whole))


ROWS: dict[str, Row] = {
    "nd.neg": neg,
    "nd.add": either(arith.AddfOp, arith.AddiOp),
    "nd.sub": either(arith.SubfOp, arith.SubiOp),
    "nd.mul": either(arith.MulfOp, arith.MuliOp),
    "nd.div": divide,
    "nd.pow": lambda b, op, x, y: b.float(math.PowFOp, x, y),
    "nd.max": either(arith.MaximumfOp, arith.MaxSIOp, wraps=False),
    "nd.min": either(arith.MinimumfOp, arith.MinSIOp, wraps=False),
    "nd.abs": absolute,
    "nd.sign": sign,
    "nd.floor": unary(math.FloorOp),
    "nd.sqrt": unary(math.SqrtOp),
    "nd.rsqrt": rsqrt,
    "nd.exp": unary(math.ExpOp),
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
    "nd.convert": lambda b, op, x: convert(b, x, op.properties["to"]),
}
"""Every elementwise op; `nd-to-loop` refuses what has no row."""


def product(b: Body, factors: list[SSAValue]) -> SSAValue:
    out = factors[0]
    for f in factors[1:]:
        out = b.float(arith.MulfOp, out, f) if floating(out.type) else b.wrapping(arith.MuliOp, out, f)
    return out
