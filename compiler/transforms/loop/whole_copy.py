"""A copy of all of a contraction's lanes, where neighbours in memory are an axis of the loops around.

    %c = loop.stage mm [b: 2, i: 5, j: 79, k: 234] (%x = %X[b, i, k], %w = %W[j, k, b]) -> add [b, i, j] {..}

A copy inside of the loop over b would fetch each line of %W again for every b, and one element of it. All of it is
copied at once: squares of b and j are turned in registers.
"""

from __future__ import annotations

from collections.abc import Sequence

from ....dialects.loop.linear import axes_of
from ...machine import Machine
from .classify import Contraction
from .steptext import extent, lanes_of, step


def copy_whole(c: Contraction, outer: Sequence[str], machine: Machine) -> list[str]:
    """The steps in front of the loops over `outer`; none where another copy serves, or the caches do not hold it."""
    line = next((a for a in outer if c.stride(a) == 1 and extent(c.stage, a) > 1), "")
    own = [a.name for a in c.stage.axes if a.name in axes_of(c.access)]
    static = all(isinstance(c.stage.extent(a), int) for a in own)
    if not line or not static or c.windowed or c.packed or c.constant or c.converts(c.rhs):
        return []
    if 2 * c.rhs_bytes > machine.l2_bytes:
        return []
    copy, lanes = f"pack_{c.rhs_name}", lanes_of([c.stage], machine)
    order = [*(a for a in own if a not in (*c.k, c.n)), *(a for a in c.k if a in own), c.n]
    steps = [step("pack", [c.label], value=c.rhs_name, axes=order)]
    steps += [step("split", [copy], axis=a, size=lanes) for a in (line, c.n) if extent(c.stage, a) > lanes]
    return [*steps, step("vectorize", [copy], axes=[line, c.n])]
