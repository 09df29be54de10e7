"""Schedules for contractions that feed each other (attention): one loop over their common rows goes around all of them.

What passes between them is then a block of rows, which stays in the caches.
"""

from __future__ import annotations

from ....dialects.loop.linear import axes_of
from ....dialects.loop.ops import StageOp
from ...machine import Machine
from .classify import Contraction, contraction
from .contractions import pack, tile
from .masks import evaluated
from .partial import TOTAL
from .rows import VECTORS, lane_axis, long, parallel_axes
from .steptext import extent, lanes_of, step
from .structure import fresh, fusable

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
    first, parts = found[names[0]], cut(stages, found)
    shared = common(stages)
    reads = [axes_of(access) for _, access in first.stage.reads()]
    steps = [step("nest", names, axis=a) for a in shared if a != first.m and all(a in used for used in reads)]
    made = {r for s in stages for r in s.results}
    width = COLUMNS * lanes_of(parts[0], machine)
    panels = in_panels(first, width)
    for c in found.values():
        if c is first and panels:
            steps.append(step("split", [s.label.data for s in parts[0]], axis=c.n, size=width))
            steps += pack(c, width, shared, machine, panels)
        elif c.transposed and c.stage.ins[c.rhs] not in made:
            steps += pack(c, extent(c.stage, c.n), shared, machine)
    steps += [step("nest", names, axis=a) for a in shared if a != first.m and not all(a in used for used in reads)]
    rows = min(max((machine.tile_registers - 4) // COLUMNS, 1), 12, max(extent(first.stage, first.m), 1))
    steps += tile(names, first.m, rows, first.stage)
    skips = bool(panels) and masked(parts[0], first.n)
    for part in parts:
        if skips and part[0].label.data not in found:
            steps += by_blocks(part, first, width)
        elif part is parts[0] and panels:
            own = [s.label.data for s in part]
            steps += [step("nest", own, axis=panels), step("vectorize", own, axes=[first.m, first.n])]
        else:
            steps += inner(part, found, first.m, machine, skips)
    return [*steps, step("skip")] if skips else steps


def in_panels(c: Contraction, width: int) -> str:
    """The axis over panels of the lanes' operand, one behind the other in its copy; empty: the lanes are no multiple of
    a panel, or the operand is not copied."""
    whole = c.stage.extent(c.n)
    if not c.transposed or not isinstance(whole, int) or whole % width or whole == width:
        return ""
    return fresh([c.stage], c.n)


def masked(part: list[StageOp], axis: str) -> bool:
    """Does something become constant along an axis? Then there may be blocks that need not be computed."""
    extents = {a.name: a.extent for s in part for a in s.axes}
    return any(axis in e.form.names for s in part for e in evaluated(s, None, {}, extents).edges)


def by_blocks(part: list[StageOp], first: Contraction, width: int) -> list[str]:
    """Row by row, loops over blocks as wide as those of the scores, which can end as early; sums are kept by lanes."""
    names: list[str] = []
    steps: list[str] = []
    own = [s for s in part if s.extent(first.n) is not None]
    for stage in part:
        names.append(stage.label.data)
        if stage in own and any(first.n not in axes_of(t.data.access) for t in stage.targets.data):
            names.append(f"{stage.label.data}_{TOTAL}")
    labels = [s.label.data for s in own]
    blocks, lane = f"{first.n}0", f"{first.n}1"
    steps += [step("split", labels, axis=first.n, size=width)]
    steps += [step("partial", labels, axis=first.n, parts=width), step("nest", names, axis=first.m)]
    steps += [step("nest", [label], axis=blocks) for label in labels]
    return [*steps, step("vectorize", [n for n in names if n in labels or n.endswith(TOTAL)], axes=[lane])]


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


def inner(
    part: list[StageOp], found: dict[str, Contraction], rows: str, machine: Machine, skips: bool = False
) -> list[str]:
    """What happens to one part inside of a tile of rows; `skips`: a loop over what a contraction sums, which may end
    early."""
    names = [s.label.data for s in part]
    head = found.get(names[0])
    lanes = lanes_of(part, machine)
    if head is not None:
        return [
            *tile(names, head.n, COLUMNS * lanes, head.stage),
            *([step("nest", [head.label], axis=head.k[0])] if skips else []),
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
