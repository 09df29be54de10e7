"""The first steps for a contraction whose lanes' operand is a constant: all of it is packed, in front of all loops.

    %pack_w = loop.stage pack_w [j0: 32, k: 768, j: 96] (%0 = %w[k, 96 * j0 + j]) -> [j0, k, j] {..}
    %y = loop.stage mm [i: 8, j0: 32, j: 96, k: 768] (%a = %x[i, k], %b = %pack_w[j0, k, j]) -> add [..] {..}

A tile reads its lanes one after the other then, whatever their strides were, and hoist-constants makes the copy before
the program runs. It holds what the constant holds: one of bf16 or of bytes stays as small as it is, in words where an
instruction takes them (`dots`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ....dialects.loop.linear import axes_of
from ....dialects.loop.ops import StageOp
from ...machine import Machine
from .classify import contraction
from .contractions import pack
from .dots import dots, words
from .register_tile import register_tile
from .reorder import axis_stride, strides_of
from .steptext import lanes_of, step
from .structure import fresh

NARROWER = 0.1
"""What a block of no width would lose against the best one: fewer multiply-adds for each load."""


def block(whole: int, width: int, lanes: int) -> int:
    """The lanes of a block, `width` or somewhat fewer: vectors of what is left over begin at multiples of their size if
    it has one vector, or whole ones; else half of the time for it is lost."""

    def loss(size: int) -> float:
        rest = whole % size
        return (0.5 * rest / whole if rest > lanes and rest % lanes else 0.0) + NARROWER * (width - size) / width

    return min(range(width, lanes, -lanes), key=loss, default=width)


def pack_constant(group: Sequence[StageOp], machine: Machine) -> list[str]:
    """Steps for a contraction and the stages behind it; none where there is nothing to pack."""
    c = contraction(group[0])
    if c is None or not c.constant or c.windowed:
        return []
    extents = [c.stage.extent(a) for a in axes_of(c.access)]
    whole = c.stage.extent(c.n)
    if not isinstance(whole, int) or not all(isinstance(e, int) for e in extents if e is not None):
        return []
    by = dots(c, machine)
    width = register_tile(c, machine, len(group) > 1, ways=by.ways if by is not None else 1).width
    if whole <= width and not c.transposed and by is None:
        return []
    value, access = c.stage.reads()[c.lhs]
    walked = tuple(sorted(c.k, key=lambda a: -axis_stride(access, strides_of(value), a)))
    steps = [step("reorder", [c.label], axes=list(walked))] if walked != c.k else []
    blocks = ""
    if whole > width:
        width = block(whole, width, lanes_of([c.stage], machine))
        blocks = fresh([c.stage], c.n)
        steps.append(step("split", [s.label.data for s in group], axis=c.n, size=width))
    if by is not None:
        return [*steps, *words(replace(c, k=walked), by, machine, min(width, whole), blocks)]
    return [*steps, *pack(replace(c, k=walked), width, [], machine, blocks, convert=False)]
