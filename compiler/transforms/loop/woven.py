"""Schedules for contractions with several elements in one of the lanes' operand, as weights of four bits in bytes.

    %y = loop.stage mm [i: 1, l: 8, m: 32, n: 4096, o: 2] (%a = %x[i, 32 * l + m], %b = %w[32 * l + m, n],
           %s = %scales[l, 2 * n + o]) -> add [i, 2 * n + o] {..}

The lanes run along n, the bytes; a tile is i x o x n. Few rows read the bytes as they are, some lines of the matrix at
a time; many rows read a copy of what they are unpacked to.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ....dialects.loop.linear import axes_of
from ....dialects.loop.ops import StageOp
from ...machine import Machine
from .classify import Contraction
from .contractions import tile
from .steptext import extent, lanes_of, step

LINES = 32
"""Lines of a streamed matrix that are read together: a group of them has its scales in registers."""

ACCUMULATORS, UNPACKED = 16, 8
"""Vectors of a tile: enough to hide the latency of additions; beside as many scales, where elements are unpacked."""


def schedule_woven(c: Contraction, group: Sequence[StageOp], batch: Sequence[str], machine: Machine) -> list[str]:
    """Batch loops, blocks of lines or a copy of a tile's lanes, and the tile in registers."""
    label, stage = c.label, c.stage
    each, lanes = prod(extent(stage, a) for a in c.inner), lanes_of([stage], machine)
    m = extent(stage, c.m)
    rows = m if c.few else min(m, ACCUMULATORS // (2 * each))
    most = UNPACKED if c.few else ACCUMULATORS
    width = min(max(1, most // (rows * each)) * lanes, extent(stage, c.n))
    vectors = step("vectorize", [label], axes=[c.m, *c.inner, c.n])
    order = step("reorder", [label], axes=[c.m, *c.inner, c.n])
    steps = [step("nest", [label], axis=a) for a in batch]
    if c.few:
        return [*steps, *lines(c), *tile([label], c.n, width, stage), order, vectors]
    steps += tile([label], c.n, width, stage)
    bound = set(batch)
    axes = [a for a in (*c.k, *c.inner, c.n) if a in used(c) - bound]
    copy = f"pack_{c.rhs_name}"
    steps.append(step("pack", [label], value=c.rhs_name, axes=axes, convert="true"))
    steps.append(step("vectorize", [copy], axes=[*[a for a in c.inner if a in axes], c.n]))
    return [*steps, *tile([label], c.m, rows, stage), order, vectors]


def used(c: Contraction) -> set[str]:
    """The axes of the lanes' factor: those of their operand, and those that it is unpacked along."""
    return set(axes_of(c.access)) | set(c.inner)


def lines(c: Contraction) -> list[str]:
    """A loop over blocks of about `LINES` points of the reduced axes."""
    steps: list[str] = []
    left = prod(extent(c.stage, a) for a in c.k)
    for axis in c.k:
        points = extent(c.stage, axis)
        left //= points
        if left >= LINES:
            steps.append(step("nest", [c.label], axis=axis))
        elif points * left > LINES:
            return [*steps, step("tile", [c.label], axis=axis, size=max(1, LINES // left))]
    return steps
