"""Questions about what of a loop program becomes a launch: its grid, its threads, what stays a loop of the host."""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Operation

from ..dialects.loop.ops import ForOp, YieldOp
from ..dialects.loop.queries import members
from ..dialects.loop.threads import Field, swept, thread_bits
from ..dialects.nd.dims import Dim

SPREAD_BITS = 8
"""Threads of a block that copies or fills memory, or goes along an axis."""


def iterations(loop: ForOp) -> Dim:
    """How often a loop runs."""
    return (loop.extent.data + (loop.stride - 1)) // loop.stride


def grid(op: Operation) -> list[ForOp]:
    """The block loops of a statement, outermost first: each is all that the one around it does."""
    found: list[ForOp] = []
    while isinstance(op, ForOp) and op.kind.data == "block":
        found.append(op)
        inside = [inner for inner in op.body.block.ops if not isinstance(inner, YieldOp)]
        if len(inside) != 1:
            break
        op = inside[0]
    return found


def group_of(loop: ForOp) -> int:
    """Iterations of a block loop that come before the next one of the loop inside of it."""
    found = loop.attributes.get("loop.group")
    return found.value.data if isinstance(found, IntegerAttr) else 1


def field_of(loop: ForOp) -> Field:
    """The bits of the thread's number that are an iteration of a thread loop."""
    count = iterations(loop)
    assert isinstance(count, int)
    return Field(loop.axis.data, count, 0, max(count - 1, 0).bit_length())


def bits_of(op: Operation) -> int:
    """Bits of the numbers of the threads that a statement needs."""
    loops = [inner for inner in op.walk() if isinstance(inner, ForOp) and inner.kind.data == "thread"]
    found = [field_of(loop).bits for loop in loops if isinstance(iterations(loop), int)]
    found += [SPREAD_BITS for s in members(op) if swept(s.axes)]
    return max([thread_bits(s.axes) for s in members(op)] + found, default=0)


def repeats(op: Operation) -> bool:
    """Is it a loop of the host, around launches?"""
    plain = isinstance(op, ForOp) and op.kind.data == ""
    return plain and any(isinstance(inner, ForOp) and inner.kind.data == "block" for inner in op.walk())
