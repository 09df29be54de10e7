"""An extreme with what is chosen or beyond every number: the choice is made afterwards, by the mask of the instruction.

%b = arith.select %c, %x, 2147483647
%y = arith.minsi %a, %b                 ->    select %c, smin(%a, %x), %a
"""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

from xdsl.ir import Operation, SSAValue

from .matchers import constant, operation
from .state import Emitter
from .text import bits_of, vector_of
from .values import Lead, Vec


def beyond(name: str, bits: int) -> int:
    """The number with which an extreme of integers is the other operand."""
    signed = 1 << (bits - 1)
    return {"arith.minsi": signed - 1, "arith.maxsi": -signed, "arith.minui": -1, "arith.maxui": 0}[name]


def chosen(op: Operation, bits: int) -> tuple[SSAValue, SSAValue] | None:
    """The condition under which the second operand is more than nothing, and what it is then."""
    choice = operation(op.operands[1], "arith.select")
    if choice is None or choice.operands[0].type == op.operands[1].type:
        return None
    other = constant(choice.operands[2])
    nothing = beyond(op.name, bits)
    return (
        (choice.operands[0], choice.operands[1])
        if other is not None and other in (nothing, nothing % (1 << bits))
        else None
    )


def by_mask(e: Emitter, op: Operation, extreme: Vec) -> Vec:
    """An extreme that changes the lanes of a mask."""
    found = chosen(op, bits_of(extreme.kind))
    if found is None:
        return extreme
    condition, value = (e.env[v] for v in found)
    if not isinstance(condition, Vec) or not isinstance(value, Vec):
        return extreme
    before = e.vector(op.operands[0])

    def native(lead: Lead, chunk: int) -> str:
        width, kind = extreme.width(chunk), extreme.type(chunk)
        kept, mask = before.nat(lead, chunk), condition.nat(lead, chunk)
        best = e.apply(op.name, extreme.kind, [kept, value.nat(lead, chunk)], width)
        return e.op(f"select {vector_of('i1', width)} {mask}, {kind} {best}, {kind} {kept}")

    return e.vec(extreme.kind, extreme.shape, native, sources=[before, value, condition])
