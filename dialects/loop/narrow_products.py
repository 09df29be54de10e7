"""Sums of products whose factors are narrower than the sum, of which machines add several by one instruction.

    %c = loop.stage mm [i: vec 8, j: vec 32, m: 64, k: vec 4] (%a = %A[i, 4 * m + k], %b = %B[m, j, k]) -> add [i, j] {
      %x = arith.extsi %a : i8 to i32
      %y = arith.extui %b : i8 to i32
      %p = arith.muli %x, %y : i32
      loop.yield %p : i32
    }

Here i8 times u8, summed over the vec axis k. bf16 is widened by shifting its bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from xdsl.dialects import arith
from xdsl.dialects.builtin import bf16, f32, i8, i32
from xdsl.ir import Operation, SSAValue

from .linear import axes_of
from .ops import StageOp
from .queries import spreads

AxisExtent = tuple[str, int]


class NarrowProduct(NamedTuple):
    """The factors, the op that extends each, and the vec axes that the sum keeps."""

    factors: tuple[SSAValue, SSAValue]
    extensions: tuple[type[Operation], type[Operation]]
    kept: Sequence[AxisExtent]


def extended(value: SSAValue) -> tuple[SSAValue, type[Operation]] | None:
    """The narrow value that one is made of, and how: i8 with or without its sign to i32, bf16 to f32."""
    if value.type == i32 and (narrow := through(value, "arith.extsi")) is not None:
        return (narrow, arith.ExtSIOp) if narrow.type == i8 else None
    if value.type == i32 and (narrow := through(value, "arith.extui")) is not None:
        return (narrow, arith.ExtUIOp) if narrow.type == i8 else None
    if value.type != f32:
        return None
    # x of bitcast(extui(bitcast x) << 16)
    narrow = through(value, "arith.extf") or through(
        value, "arith.bitcast", "arith.shli", "arith.extui", "arith.bitcast"
    )
    return (narrow, arith.ExtFOp) if narrow is not None and narrow.type == bf16 else None


def through(value: SSAValue, *names: str) -> SSAValue | None:
    """The value from which ops of these names make another, the last first, each by its first operand."""
    for name in names:
        op = value.owner
        if not isinstance(op, Operation) or op.name != name:
            return None
        value = op.operands[0]
    return value


def product(stage: StageOp) -> tuple[SSAValue, SSAValue] | None:
    """The factors of the only sum of a stage."""
    if len(stage.results) != 1 or stage.target(0).mode != "add":
        return None
    op = stage.terminator.operands[0].owner
    if not isinstance(op, Operation) or op.name not in ("arith.mulf", "arith.muli"):
        return None
    return op.operands[0], op.operands[1]


def narrow_product(stage: StageOp) -> NarrowProduct | None:
    """The stage as a sum over its last vec axis of products of narrow factors, or None."""
    vec = [(a.name, a.extent) for a in stage.axes if a.kind == "vec" and isinstance(a.extent, int) and a.extent > 1]
    factors = product(stage)
    if factors is None or len(vec) < 2:
        return None
    found = [extended(v) for v in factors]
    spread = axes_of(stage.target(0).access)
    kept = [a for a in vec if a[0] in spread]
    if found[0] is None or found[1] is None or kept != vec[:-1]:
        return None
    depends = spreads(stage)
    if not all(vec[-1][0] in depends[value] for value in factors):
        return None
    (a, f), (b, g) = found[0], found[1]
    return NarrowProduct((a, b), (f, g), kept)
