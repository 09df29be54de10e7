"""Gathers in a stage's body: an index operand's element becomes a position, clamped into its dimension.

    %y = nd.gather clip %x, %i "@0 b, a -> a b"
becomes
    %y = loop.stage gather [i: 5, j: 8] (%k = %i[i], %t = %x[...]) -> [i, j] {
      %0 = arith.maxsi %k, %c0
      %1 = arith.minsi %0, %c3
      %2 = arith.index_cast %1 : i64 to index
      %3 = loop.index j
      %4 = loop.load %t[%2, %3]
      loop.yield %4
    }

While a body is built, a position stands in accesses as an axis of its own, `@0`, `@1` .., so that it goes through
views, elementwise ops and other gathers like any index. What an access over such axes reads becomes a `loop.load`.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerAttr, IntegerType, i1, i64
from xdsl.ir import SSAValue

from ..dialects.loop.combiners import NO_OVERFLOW, integer_width
from ..dialects.loop.linear import Access, Linear
from ..dialects.loop.ops import IndexOp
from ..dialects.nd.dims import Dim, Shape
from ..dialects.nd.indirect import Gather, Indirect, window_of
from ..dialects.nd.types import element, is_unsigned
from ..dialects.vector.arith import IndexCastUIOp
from .scalar_bodies import Body

if TYPE_CHECKING:
    from .scalars import Scalars

INDEX = IndexType()
BELOW_OR_EQUAL = IntegerAttr(7, i64)
"""Unsigned."""
MARK = "@"


class Positions:
    """The positions of one body, by the axis that stands for each."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.values: dict[str, SSAValue] = {}
        self.names: dict[SSAValue, str] = {}
        self.forms: dict[Linear, SSAValue] = {}

    def axis(self, value: SSAValue) -> Linear:
        """The axis that stands for an index value."""
        if value not in self.names:
            self.names[value] = name = f"{MARK}{len(self.names)}"
            self.values[name] = value
        return Linear.axis(self.names[value])

    def marked(self, access: Access) -> bool:
        return bool(self.values) and any(n in self.values for form in access for n in form.names)

    def value(self, form: Linear) -> SSAValue:
        """A form over axes and positions as an index value."""
        if form not in self.forms:
            own = [(n, c) for n, c in form.terms if n in self.values]
            plain = form.without([n for n, _ in own])
            parts = [self.times(self.values[n], c) for n, c in own]
            if plain != Linear() or not parts:
                parts.append(self.body.add(IndexOp.make(plain, self.body.location)))
            total = parts[0]
            for part in parts[1:]:
                total = self.body.op(arith.AddiOp, total, part, overflowFlags=NO_OVERFLOW)
            self.forms[form] = total
        return self.forms[form]

    def times(self, value: SSAValue, factor: Dim) -> SSAValue:
        if factor == 1:
            return value
        return self.body.op(arith.MuliOp, value, self.number(factor), overflowFlags=NO_OVERFLOW)

    def number(self, n: Dim) -> SSAValue:
        return self.value(Linear(n))

    def regrouped(self, at: Access, shape: Shape, source: Shape) -> Access:
        """The index into `source` of the element at `at` of `shape`, of the same elements in rows."""
        flat = Linear()
        step: Dim = 1
        for form, d in zip(reversed(at), reversed(shape)):
            if isinstance(step, int):
                flat += form.scaled(step)
            else:
                flat += self.axis(self.times(self.value(form), step))
            step = step * d
        rest = self.value(flat)
        out: list[Linear] = []
        for d in reversed(source[1:]):
            size = self.number(d)
            out.insert(0, self.axis(self.body.op(arith.RemUIOp, rest, size)))
            rest = self.body.op(arith.DivUIOp, rest, size)
        return (self.axis(rest), *out) if source else ()


def clamped(b: Body, i: SSAValue, signed: bool, last: SSAValue | int, mode: str) -> SSAValue:
    """An integer moved into [0, last], as an index. `last` is a number, or an index where it is known at run time.

    In `promise` and for masked reads any place inside will do for what is outside.
    """
    t = i.type
    if isinstance(last, int) and isinstance(t, IntegerType):
        top = (1 << (integer_width(t) - signed)) - 1
        small = last < top
        if not signed or mode != "clip":
            # a negative number is a large one without its sign
            reach = last < (1 << integer_width(t)) - 1
            i = b.op(arith.MinUIOp, i, b.constant(last, t)) if reach and (small or not signed) else i
            if signed and not small:  # every number but negative ones is inside
                i = b.op(arith.MaxSIOp, i, b.constant(0, t))
            return as_index(b, i, signed and not small)
        i = b.op(arith.MaxSIOp, i, b.constant(0, t))
        return as_index(b, b.op(arith.MinSIOp, i, b.constant(last, t)) if small else i, True)
    i = as_index(b, i, signed)
    if isinstance(last, int):
        last = b.add(IndexOp.make(Linear(last), b.location))
    if not signed or mode != "clip":
        return b.op(arith.MinUIOp, i, last)
    return b.op(arith.MinSIOp, b.op(arith.MaxSIOp, i, b.add(IndexOp.make(Linear(0), b.location))), last)


def as_index(b: Body, i: SSAValue, signed: bool) -> SSAValue:
    return b.op(arith.IndexCastOp if signed else IndexCastUIOp, i, to=INDEX)


def inside(b: Body, i: SSAValue, signed: bool, last: SSAValue | int) -> SSAValue | None:
    """i1: is the integer in [0, last]? None where it cannot be outside."""
    t = i.type
    if isinstance(last, int) and isinstance(t, IntegerType):
        width = integer_width(t)
        if last >= (1 << (width - signed)) - 1:
            return b.compare("ge", i, b.constant(0, t)) if signed else None
        return b.op(arith.CmpiOp, i, b.constant(last, t), to=i1, predicate=BELOW_OR_EQUAL)
    limit = b.add(IndexOp.make(Linear(last), b.location)) if isinstance(last, int) else last
    return b.op(arith.CmpiOp, as_index(b, i, signed), limit, to=i1, predicate=BELOW_OR_EQUAL)


def access_of(scalars: Scalars, op: Indirect, at: Mapping[str, Linear]) -> tuple[Access, SSAValue | None]:
    """Where the element of the data at `at` (by the map's names) lies in the place, and whether it does (None: yes)."""
    b, positions = scalars.body, scalars.positions
    extents = dict(zip((i.name or "" for i in op.data), op.data_shape))
    access: list[Linear] = []
    valid: SSAValue | None = None
    for index, d in zip(op.place, op.place_shape):
        if index.at is None:
            access.append(at[index.name or ""])
            continue
        operand = op.index_operands[index.at]
        signed = not is_unsigned(element(operand.type))
        i = scalars.at(operand, tuple(at[n.name or ""] for n in op.index_dims[index.at]))
        most = d - window_of(index, extents)
        last = most if isinstance(most, int) else positions.number(most)
        if op.word in ("fill", "drop") and (own := inside(b, i, signed, last)) is not None:
            valid = own if valid is None else b.op(arith.AndIOp, valid, own)
        place = positions.axis(clamped(b, i, signed, last, op.word))
        access.append(sum((at[n] for n, _ in index.terms), start=place))
    return tuple(access), valid


def nowhere(op: Indirect) -> bool:
    """Is everything outside, or is there nothing to read?"""
    extents = dict(zip((i.name or "" for i in op.data), op.data_shape))
    rooms = [d - window_of(i, extents) for i, d in zip(op.place, op.place_shape) if i.at is not None]
    return 0 in op.data_shape or 0 in op.place_shape or any(isinstance(r, int) and r < 0 for r in rooms)


def gathered(scalars: Scalars, op: Gather, at: Access) -> SSAValue:
    """The element of a gather's result."""
    if nowhere(op):
        return scalars.body.literal(0, element(op.type))
    names = dict(zip((i.name or "" for i in op.data), at))
    access, valid = access_of(scalars, op, names)
    found = scalars.at(op.x, access)
    if valid is None:
        return found
    return scalars.body.select(valid, found, scalars.body.constant(0, found.type))
