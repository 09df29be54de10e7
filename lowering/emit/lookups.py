"""Conversions of elements of four bits to floats, by an instruction that looks lanes up in a register.

    %a = arith.shli %x, 28 : i32            the lower four bits of %x, with their sign
    %b = arith.shrsi %a, 28 : i32
    %c = arith.sitofp %b : i32 to f32  ->   call @permvar(<0.0, 1.0, .. 7.0, -8.0, .. -1.0>, %x)

The instruction looks at no other bits of %x, so shifts that cut them off go, and one instruction is left of three.
"""

from __future__ import annotations

from typing import NamedTuple

from xdsl.dialects import arith
from xdsl.ir import Operation, SSAValue

from .matchers import constant
from .state import Emitter
from .text import vector_of
from .values import Lead, Vec

BITS = 4


class Lookup(NamedTuple):
    """An instruction that takes lanes of a register by the lowest bits of indices of 32 bits: its lanes, the LLVM
    intrinsic, and the target features of which it needs one."""

    lanes: int
    intrinsic: str
    features: tuple[str, ...]


LOOKUPS: dict[str, Lookup] = {"permute16": Lookup(16, "llvm.x86.avx512.permvar.sf.512", ("+avx512f",))}


def looked_up(e: Emitter, op: Operation, converted: Vec) -> Vec:
    """What an op converts, `converted` where there is no instruction for it."""
    row = next((LOOKUPS[name] for name in e.dots if name in LOOKUPS), None)
    index = nibble(op) if row is not None and converted.kind == "float" else None
    if row is None or index is None:
        return converted
    signed, source = op.name == "arith.sitofp", e.env[index]
    if not isinstance(source, Vec) or source.kind != "i32":
        return converted
    half = 1 << (BITS - 1)
    entries = [k - 2 * half if signed and k >= half else k for k in range(2 * half)]
    floats, integers = vector_of("float", row.lanes), vector_of("i32", row.lanes)
    table = f"{floats} <{', '.join(f'float {k}.0' for k in entries)}>"

    def native(lead: Lead, chunk: int) -> str:
        if out.width(chunk) != row.lanes:
            return converted.nat(lead, chunk)
        e.declare(floats, row.intrinsic, floats, integers)
        return e.op(f"call {floats} @{row.intrinsic}({table}, {integers} {source.nat(lead, chunk)})")

    out = e.vec("float", converted.shape, native)
    return out


def nibble(op: Operation) -> SSAValue | None:
    """The value whose lowest four bits, with their sign or without, are converted; None: it is another number."""
    if op.name == "arith.sitofp":
        right = op.operands[0].owner
        if not isinstance(right, arith.ShRSIOp) or constant(right.operands[1]) != 32 - BITS:
            return None
        left = right.operands[0].owner
        if isinstance(left, arith.ShLIOp) and constant(left.operands[1]) == 32 - BITS:
            return lowest(left.operands[0])
    if op.name == "arith.uitofp":
        found = lowest(op.operands[0])
        return found if found is not op.operands[0] else None
    return None


def lowest(value: SSAValue) -> SSAValue:
    """The value without what keeps its lowest four bits and nothing else."""
    op = value.owner
    while isinstance(op, arith.AndIOp) and constant(op.operands[1]) == (1 << BITS) - 1:
        value = op.operands[0]
        op = value.owner
    return value
