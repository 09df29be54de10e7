"""Schedules for contractions of few rows whose result is contiguous along another axis of the lanes' operand.

    %y = loop.stage mm [i: 64, k: 14, l: 4, m: 56, o: 6] (%a = %A[l, o], %b = %B[o, k, m, i]) -> add [i, k, l, m] {..}

The lanes run along i, where B is contiguous. A tile is of m and i; its sums are turned in registers and stored as lines
along m, for one row l after the other while its part of B is in the first cache.
"""

from __future__ import annotations

from collections.abc import Sequence

from ....dialects.loop.ops import StageOp
from ...machine import Machine
from .classify import Contraction
from .contractions import loops_around, tile
from .steptext import lanes_of, step


def schedule_turned(c: Contraction, group: Sequence[StageOp], batch: Sequence[str], machine: Machine) -> list[str]:
    """Batch loops, tiles of both axes, the rows inside of them."""
    names, lanes = [s.label.data for s in group], lanes_of([c.stage], machine)
    everywhere, columns, inside = loops_around(c, batch)
    steps = [step("nest", names, axis=a) for a in (*everywhere, *columns)]
    steps += [*tile(names, c.n, lanes, c.stage), *tile(names, c.along, lanes, c.stage)]
    steps += [step("nest", names, axis=a) for a in (*inside, c.m)]
    return [*steps, step("reorder", names, axes=[c.along, c.n]), step("vectorize", names, axes=[c.along, c.n])]
