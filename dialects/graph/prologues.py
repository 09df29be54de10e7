"""What a contraction makes of its operand where it reads or copies it, instead of reading it from memory: a prologue.

    %w : tensor<256x64xui8>, %s : tensor<8x128xf32>
    %f = nd.convert (nd.bitcast (nd.convert (nd.and (nd.shr ..))))      unpacked: f32 from four bits
    %d = nd.mul (nd.reshape %f), (nd.broadcast %s)                      with a scale for each 32 rows

Elementwise ops and views of something narrower, few of them, such that less is read than would be written.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from xdsl.ir import Operation, SSAValue

from ..nd.constant import Source
from ..nd.contraction import Contract
from ..nd.elementwise import Elementwise
from ..nd.movement import Broadcast
from ..nd.op import NdOp
from ..nd.resource import is_stored
from ..nd.selection import Convert
from ..nd.types import element, width
from .views import VIEWS

MOST = 12
"""Operations for one element that are repeated rather than stored."""


class Prologue(NamedTuple):
    """The ops that compute, the last first; views among them are not listed."""

    ops: Sequence[NdOp]

    @property
    def cast(self) -> SSAValue | None:
        """What it is a conversion of, if it is nothing else: zero stays zero."""
        chained = all(op.operands[0] is before.results[0] for op, before in zip(self.ops, self.ops[1:]))
        return self.ops[-1].operands[0] if chained and all(isinstance(op, Convert) for op in self.ops) else None


def prologue(value: SSAValue) -> Prologue | None:
    """What makes an operand of narrower values, or None."""
    ops: dict[Elementwise, None] = {}
    todo = [(value, False)]
    seen: set[tuple[SSAValue, bool]] = set()
    narrower = False
    while todo:
        v, repeated = todo.pop()
        op = v.owner
        if (v, repeated) in seen:
            continue
        seen.add((v, repeated))
        if isinstance(op, Operation) and type(op) in VIEWS:
            todo.append((op.operands[0], repeated or isinstance(op, Broadcast)))
        elif isinstance(op, Elementwise):
            ops[op] = None
            todo += [(operand, repeated) for operand in op.operands]
        elif isinstance(op, Source) and not is_stored(op):
            continue
        else:
            less = width(element(v.type)) < width(element(value.type))
            if not less and not repeated:
                return None
            narrower |= less
    few = sum(op.FLOPS for op in ops) <= MOST
    return Prologue(list(ops)) if narrower and few and ops else None


def of_contraction(op: Operation) -> list[Prologue | None]:
    """The prologue of each operand; of one that is read through windows, and padded for them, conversions alone."""
    if not isinstance(op, Contract):
        return []
    found = [prologue(v) for v in op.operands]
    plain = [all(i.name for i in dims) for dims in op.dims.operands]
    direct = [p is not None and p.cast is not None and p.ops[0].results[0] is v for p, v in zip(found, op.operands)]
    return [p if bare or cast else None for p, bare, cast in zip(found, plain, direct)]
