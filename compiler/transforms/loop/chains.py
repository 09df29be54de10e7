"""Schedules for contractions that feed each other (attention): one loop over their common rows goes around all of them.

What passes between them is then a block of rows, which stays in the caches.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from ....dialects.loop.linear import axes_of
from ....dialects.loop.ops import StageOp, element_of
from ....dialects.nd.dims import Dim
from ...machine import Machine
from .classify import Contraction, contraction
from .contractions import pack, tile
from .masks import evaluated
from .partial import TOTAL
from .rows import VECTORS, lane_axis, long, parallel_axes
from .steptext import bytes_of, extent, lanes_of, step
from .structure import fresh, fusable

COLUMNS = 2
"""Vectors in a register tile; the rows that are left to it suit every contraction of a chain."""

SEVERAL = 4
"""Tiles of rows that go through a chain together where what they all read does not stay in the second cache."""

PART = 16
"""The part of the second cache that a block of what is summed takes."""


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
    return Chain(stages, machine).steps()


class Chain:
    """The stages of a chain in parts, and the sizes of its tiles."""

    def __init__(self, stages: list[StageOp], machine: Machine) -> None:
        self.names = [s.label.data for s in stages]
        self.machine = machine
        self.found = {s.label.data: c for s in stages if (c := contraction(s)) is not None}
        self.first = self.found[self.names[0]]
        self.made = {r for s in stages for r in s.results}
        self.shared = common(stages)
        self.parts = cut(stages, self.found)
        extents = {a.name: a.extent for s in stages for a in s.axes}
        self.width = COLUMNS * lanes_of(self.parts[0], machine)
        self.rows = min(max((machine.tile_registers - 4) // COLUMNS, 1), 12, max(extent(self.first.stage, self.m), 1))
        self.panels = in_panels(self.first, self.width)
        self.skips = bool(self.panels) and masked(self.parts[0], self.first.n, extents)
        self.far = 2 * sum(self.bytes_of_lanes(c) for c in self.found.values()) > machine.l2_bytes

    @property
    def m(self) -> str:
        """The axis of the rows."""
        return self.first.m

    def bytes_of_lanes(self, c: Contraction) -> int:
        """Of the lanes' operand, as far as a block of rows reads it."""
        own = axes_of(c.access) - set(self.shared)
        return bytes_of(element_of(c.stage.ins[c.rhs])) * prod(extent(c.stage, a) for a in own)

    def steps(self) -> list[str]:
        reads = [axes_of(access) for _, access in self.first.stage.reads()]
        batch = [a for a in self.shared if a != self.m]
        every = [a for a in batch if all(a in used for used in reads)]
        steps = [step("nest", self.names, axis=a) for a in every]
        for c in self.found.values():
            steps += self.packed(c)
        steps += [step("nest", self.names, axis=a) for a in batch if a not in every]
        steps += tile(self.names, self.m, SEVERAL * self.rows if self.far else self.rows, self.first.stage)
        for part in self.parts:
            head = self.found.get(part[0].label.data)
            if head is not None:
                steps += self.product(part, head)
            else:
                steps += self.by_blocks(part) if self.skips else self.by_rows(part)
        return [*steps, step("skip")] if self.skips else steps

    def packed(self, c: Contraction) -> list[str]:
        """A copy of the lanes' operand for all rows, if its lanes are not contiguous: panel by panel."""
        if not c.transposed or c.stage.ins[c.rhs] in self.made:
            return []
        if c is not self.first or not self.panels:
            return pack(c, extent(c.stage, c.n), self.shared, self.machine)
        cut_ = step("split", [s.label.data for s in self.parts[0]], axis=c.n, size=self.width)
        return [cut_, *pack(c, self.width, self.shared, self.machine, self.panels)]

    def product(self, part: list[StageOp], c: Contraction) -> list[str]:
        """A contraction and what follows it over its lanes, in register tiles.

        In a block of several tiles of rows all of them use a panel, or a block of what is summed, before the next one.
        """
        names, last = [s.label.data for s in part], c is not self.first
        # sums over blocks are complete behind all of them
        own = [c.label] if self.far and last else names
        steps = self.summed_blocks(c) if self.far and last else []
        if self.panels and not last:
            steps.append(step("nest", names, axis=self.panels))
        if self.far:
            steps += tile(own, self.m, self.rows, c.stage)
        if not self.panels or last:
            steps += tile(own, c.n, COLUMNS * lanes_of(part, self.machine), c.stage)
        if self.skips and last:
            steps.append(step("nest", [c.label], axis=c.k[0]))
        steps.append(step("vectorize", own, axes=[self.m, c.n] if c.m == self.m else [c.n]))
        rest = [n for n in names if n not in own]
        return [*steps, step("vectorize", rest, axes=[c.n])] if rest else steps

    def summed_blocks(self, c: Contraction) -> list[str]:
        """Blocks of what is summed, whose lanes take a small part of the second cache."""
        whole, line = c.stage.extent(c.k[0]), self.bytes_of_lanes(c) // max(extent(c.stage, c.k[0]), 1)
        size = self.machine.l2_bytes // PART // max(line, 1) // self.width * self.width
        return tile([c.label], c.k[0], size, c.stage) if isinstance(whole, int) and size else []

    def by_rows(self, part: list[StageOp]) -> list[str]:
        """Stages that only share the rows, each over its own lanes."""
        wide = [s for s in part if any(a.name != self.m for a in s.axes)]
        if not wide:
            return []
        lane = lane_axis(part, max(wide, key=lambda s: len(s.axes)), self.machine)
        if lane == self.m:
            return []
        split = VECTORS * lanes_of(part, self.machine)
        own = [s.label.data for s in part if s.extent(lane) is not None]
        first = next(s for s in part if s.extent(lane) is not None)
        return [*([step("split", own, axis=lane, size=split)] if long(first, lane, split) else []),
                step("vectorize", own, axes=[lane])]  # fmt: skip

    def by_blocks(self, part: list[StageOp]) -> list[str]:
        """Row by row, loops over blocks as wide as those of the scores, which can end as early; sums are kept by lanes."""
        keys = self.first.n
        labels = [s.label.data for s in part if s.extent(keys) is not None]
        sums = [f"{s.label.data}_{TOTAL}" for s in part if s.label.data in labels and reduces(s, keys)]
        names = [s.label.data for s in part]
        blocks, lane = f"{keys}0", f"{keys}1"
        return [
            step("split", labels, axis=keys, size=self.width),
            step("partial", [s.label.data for s in part if f"{s.label.data}_{TOTAL}" in sums], axis=keys, parts=self.width),
            step("nest", [*names, *sums], axis=self.m),
            *(step("nest", [label], axis=blocks) for label in labels),
            step("vectorize", [*labels, *sums], axes=[lane]),
        ]


def reduces(stage: StageOp, axis: str) -> bool:
    return any(axis not in axes_of(t.data.access) for t in stage.targets.data)


def in_panels(c: Contraction, width: int) -> str:
    """The axis over panels of the lanes' operand, one behind the other in its copy; empty: the lanes are no multiple of
    a panel, or the operand is not copied."""
    whole = c.stage.extent(c.n)
    if not c.transposed or not isinstance(whole, int) or whole % width or whole == width:
        return ""
    return fresh([c.stage], c.n)


def masked(part: list[StageOp], axis: str, extents: Mapping[str, Dim]) -> bool:
    """Does something become constant along an axis? Then there may be blocks that need not be computed."""
    return any(axis in e.form.names for s in part for e in evaluated(s, None, {}, extents).edges)


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


