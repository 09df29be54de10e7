"""Schedules for contractions that feed each other (attention): one loop over their common rows goes around all of them.

What passes between them is then a block of rows, which stays in the caches.
"""

from __future__ import annotations

from ....dialects.loop.linear import axes_of
from ....dialects.loop.ops import StageOp
from ...machine import Machine
from .classify import Contraction, contraction
from .contractions import pack, tile
from .rows import VECTORS, lane_axis, long, parallel_axes
from .steptext import extent, lanes_of, step
from .structure import fusable

COLUMNS = 2
"""Vectors in a register tile; the rows that are left to it suit every contraction of a chain."""


def chain(stages: list[StageOp]) -> list[StageOp]:
    """The longest run from a first contraction on in which another one reads what was made; none: empty."""
    first = next((i for i, s in enumerate(stages) if contraction(s) is not None), len(stages))
    found = stages[first : first + 1]
    for stage in stages[first + 1 :]:
        if found[-1].next_op is not stage or not common([*found, stage]):
            break
        found.append(stage)
    made = {r for s in found for r in s.results}
    dependent = [s for s in found[1:] if contraction(s) is not None and any(v in made for v in s.ins)]
    return found if dependent else []


def common(stages: list[StageOp]) -> list[str]:
    """Axes over which one loop may go around all of the stages, the first contraction's rows among them."""
    first = contraction(stages[0])
    shared = [a for a in parallel_axes(stages) if fusable(list(stages), a)]
    return shared if first is not None and first.m in shared else []


def schedule_chain(stages: list[StageOp], machine: Machine) -> list[str]:
    """Batch loops, packed operands, row tiles around everything; inside, the lanes of each part."""
    names = [s.label.data for s in stages]
    found = {s.label.data: c for s in stages if (c := contraction(s)) is not None}
    first = found[names[0]]
    shared = common(stages)
    reads = [axes_of(access) for _, access in first.stage.reads()]
    steps = [step("nest", names, axis=a) for a in shared if a != first.m and all(a in used for used in reads)]
    made = {r for s in stages for r in s.results}
    for c in found.values():
        if c.transposed and c.stage.ins[c.rhs] not in made:
            steps += pack(c, extent(c.stage, c.n), shared, machine)
    steps += [step("nest", names, axis=a) for a in shared if a != first.m and not all(a in used for used in reads)]
    rows = min(max((machine.tile_registers - 4) // COLUMNS, 1), 12, max(extent(first.stage, first.m), 1))
    steps += tile(names, first.m, rows, first.stage)
    for part in cut(stages, found):
        steps += inner(part, found, first.m, machine)
    return steps


def cut(stages: list[StageOp], found: dict[str, Contraction]) -> list[list[StageOp]]:
    """Each contraction with the stages over its lanes that follow it; other stages by the axes that they share."""
    parts: list[list[StageOp]] = []
    for stage in stages:
        head = found.get(parts[-1][0].label.data) if parts else None
        joined = parts and stage.label.data not in found and (head is None or stage.extent(head.n) is not None)
        if joined and (head is None or head.n in parallel_axes([*parts[-1], stage])):
            parts[-1].append(stage)
        else:
            parts.append([stage])
    return parts


def inner(part: list[StageOp], found: dict[str, Contraction], rows: str, machine: Machine) -> list[str]:
    """What happens to one part inside of a tile of rows."""
    names = [s.label.data for s in part]
    head = found.get(names[0])
    lanes = lanes_of(part, machine)
    if head is not None:
        return [
            *tile(names, head.n, COLUMNS * lanes, head.stage),
            step("vectorize", names, axes=[rows, head.n] if head.m == rows else [head.n]),
        ]
    wide = [s for s in part if any(a.name != rows for a in s.axes)]
    if not wide:
        return []
    lane = lane_axis(part, max(wide, key=lambda s: len(s.axes)), machine)
    if lane == rows:
        return []
    split = VECTORS * lanes
    own = [s.label.data for s in part if s.extent(lane) is not None]
    first = next(s for s in part if s.extent(lane) is not None)
    return [*([step("split", own, axis=lane, size=split)] if long(first, lane, split) else []),
            step("vectorize", own, axes=[lane])]  # fmt: skip
