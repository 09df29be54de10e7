"""A copy of the operand of a contraction's rows, where each element brings a line of its own.

    %c = loop.stage mm [i: 45, j: 48, k: 72] (%w = %W[k, 9 * i], %x = %X[k, j]) -> add [i, j] {..}

A tile of nine rows needs nine factors for each k. In a copy [i0: 5, k: 72, i: 9] they are neighbours, and so are those
of the next k. Where the operand is read along its lines, or stays in the first cache, it is left where it is. Rows that
lie one behind the other, which no tile divides, are turned instead: [i: 45, k: 72].
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ....dialects.loop.linear import axes_of
from ....dialects.loop.ops import element_of
from ...machine import Machine
from .classify import Contraction
from .reorder import axis_stride, strides_of
from .steptext import bytes_of, extent, lanes_of, step
from .structure import fresh

LINE = 64
"""Bytes that the caches move at once."""

FETCHED, AFAR, WORTH = 2.0, 10.0, 0.25
"""Cycles for a line from the second cache, and from beyond it where each step brings another one, not asked for
ahead; the part of a tile's cycles that they must take."""

FEWEST = 4
"""Rows of a tile that are worth dividing all rows evenly."""

AGAIN = 4
"""Times that a copy is read."""


def lines(c: Contraction, rows: int) -> float:
    """Lines that a tile fetches for each point of the reduced axes."""
    value, access = c.stage.reads()[c.lhs]
    strides, size = strides_of(value), bytes_of(element_of(value))
    along = max(1.0, min(rows, rows * abs(axis_stride(access, strides, c.m)) * size / LINE))
    inner = min((a for a in c.k if extent(c.stage, a) > 1), key=lambda a: axis_stride(access, strides, a), default="")
    if not inner:
        return along
    stride = max(1, abs(axis_stride(access, strides, inner))) * size
    return along / max(1, min(LINE // stride, extent(c.stage, inner)))


def scattered(c: Contraction, rows: int, width: int, outer: Sequence[str], machine: Machine) -> bool:
    """Is it worth a copy inside of loops over `outer`?"""
    value, access = c.stage.reads()[c.lhs]
    own = axes_of(access)
    sizes = [c.stage.extent(a) for a in (*own, c.n)]
    if c.converts(c.lhs) or not value.name_hint or not all(isinstance(n, int) for n in sizes if n is not None):
        return False
    if any(len(names) > 1 for names in c.own_axes(access)):
        return False
    again = prod(extent(c.stage, a.name) for a in c.stage.axes if a.name not in (*own, *outer, c.n))
    again *= -(-extent(c.stage, c.n) // width)
    fetched = lines(c, rows)
    steps = prod(extent(c.stage, a) for a in own if a not in (*outer, c.m) and c.stage.extent(a) is not None)
    near = fetched * LINE * steps * extent(c.stage, c.m) / rows <= machine.l1_bytes / 2
    cycles = rows * -(-width // lanes_of([c.stage], machine)) / machine.fma_per_cycle
    each = AFAR if fetched >= 1 and 2 * c.lhs_bytes >= machine.l2_bytes else FETCHED
    return not near and again >= AGAIN and each * fetched > WORTH * cycles


def pack_rows(
    c: Contraction, names: Sequence[str], rows: int, outer: Sequence[str], machine: Machine
) -> tuple[list[str], str]:
    """The steps of the copy inside of loops over `outer`, and the axis over its tiles, if these are of equal size."""
    value, access = c.stage.reads()[c.lhs]
    name, kept = value.name_hint or "", axes_of(access) - set(outer)
    others = [a.name for a in c.stage.axes if a.name in kept and a.name not in (*c.k, c.m)]
    reduced = [a for a in c.k if a in kept]
    whole, lanes = extent(c.stage, c.m), lanes_of([c.stage], machine)
    together = axis_stride(access, strides_of(value), c.m) == 1
    copy = f"pack_{name}"
    if whole % rows and together and reduced and min(whole, inner := extent(c.stage, reduced[-1])) >= lanes:
        steps = [step("pack", [c.label], value=name, axes=[*others, c.m, *reduced])]
        sizes = ((reduced[-1], inner), (c.m, whole))
        steps += [step("split", [copy], axis=a, size=lanes) for a, e in sizes if e > lanes]
        return [*steps, step("vectorize", [copy], axes=[c.m, reduced[-1]])], ""
    blocks = fresh([c.stage], c.m) if whole % rows == 0 and whole > rows else ""
    steps = [step("split", names, axis=c.m, size=rows)] if blocks else []
    order = [*others, *([blocks] if blocks else []), *reduced, c.m]
    steps.append(step("pack", [c.label], value=name, axes=order))
    return [*steps, *([step("vectorize", [copy], axes=[c.m])] if together else [])], blocks
