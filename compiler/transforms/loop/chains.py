"""Schedules for contractions that feed each other (attention): one loop over their common rows goes around all of them.

What passes between them is then a block of rows, which stays in the caches.
"""

from __future__ import annotations

from math import prod

from ....dialects.loop.linear import axes_of
from ....dialects.loop.ops import StageOp, element_of
from ...machine import Machine
from .classify import Contraction, contraction
from .contractions import pack, tile
from .masks import evaluated
from .partial import TOTAL
from .rescale import FINAL, FIRST, RUNNING, SO_FAR
from .rows import VECTORS, lane_axis, long, parallel_axes
from .steptext import bytes_of, extent, lanes_of, step
from .structure import fusable

COLUMNS = 2
"""Vectors in a register tile; the rows that are left to it suit every contraction of a chain."""

MOST, FEWEST = 12, 5
"""Rows of a tile; where they are fewer, multiply-adds wait for each other."""

SEVERAL = 4
"""Tiles of rows that go through a chain together where what they all read does not stay in the second cache."""

LEAST = 4
"""Fewest panels of a block of keys: each block rescales what is summed so far."""

PART = 16
"""The part of the second cache that a block of what is summed takes."""


def chain(stages: list[StageOp]) -> list[StageOp]:
    """The longest run from a first contraction on in which another one reads what was made; none: empty."""
    head = next((c for s in stages if (c := contraction(s)) is not None), None)
    if head is None:
        return []
    found = [head.stage]
    for stage in stages[stages.index(head.stage) + 1 :]:
        if found[-1].next_op is not stage or not common([*found, stage], head):
            break
        found.append(stage)
    made = {r for s in found for r in s.results}
    dependent = [s for s in found[1:] if contraction(s) is not None and any(v in made for v in s.ins)]
    return found if dependent else []


def common(stages: list[StageOp], first: Contraction) -> list[str]:
    """Axes over which one loop may go around all of the stages, the first contraction's rows among them."""
    axes = parallel_axes(stages)
    if first.m not in axes or not fusable(list(stages), first.m):
        return []
    return [a for a in axes if a == first.m or fusable(list(stages), a)]


WAYS = 3
"""Of scheduling a chain: with all that it could have, without blocks of keys, without loops that end early."""


def schedule_chain(stages: list[StageOp], machine: Machine, way: int = 0) -> list[str]:
    """Steps for a chain in one of the ways; a step of an earlier one may not apply."""
    found = Chain(stages, machine)
    if way >= 1:
        found.blocks = 0
    if way >= 2:
        found.skips = False
    return found.steps()


class Chain:
    """The stages of a chain in parts, and the sizes of its tiles.

    for i                             batch
      pack K                          panels of a register tile's lanes
      for j0                          rows: one tile, or several where K and V do not stay in the second cache
        for k0 with max, sum, y       blocks of keys, where a tile of scores does not stay in the first cache
          for j1                      a tile of rows
            scores, exp, y
        y / sum
    """

    def __init__(self, stages: list[StageOp], machine: Machine) -> None:
        self.stages, self.machine = stages, machine
        self.names = [s.label.data for s in stages]
        self.found = {s.label.data: c for s in stages if (c := contraction(s)) is not None}
        self.first = self.found[self.names[0]]
        self.made = {r for s in stages for r in s.results}
        self.shared = common(stages, self.first)
        self.parts = cut(stages, self.found)
        self.width = COLUMNS * lanes_of(self.parts[0], machine)
        self.rows = self.rows_of_tile()
        whole = self.first.stage.extent(self.keys)
        even = isinstance(whole, int) and whole % self.width == 0 and whole > self.width
        self.panels = even and self.first.transposed
        self.skips = self.panels and masked(self.parts[0], self.keys)
        self.far = 2 * sum(self.bytes_of_lanes(c) for c in self.found.values()) > machine.l2_bytes
        self.blocks = self.block_of_keys(whole) if self.panels and isinstance(whole, int) else 0
        """Keys of a block; 0: all of them are one."""

    @property
    def m(self) -> str:
        """The axis of the rows."""
        return self.first.m

    @property
    def keys(self) -> str:
        """The axis of the keys: lanes of the scores, and what is summed in the end."""
        return self.first.n

    def rows_of_tile(self) -> int:
        """What the registers hold, or less, if that leaves fewer rows which the last tile computes again."""
        most = min(max((self.machine.tile_registers - 4) // COLUMNS, 1), MOST)
        whole = self.first.stage.extent(self.m)
        if not isinstance(whole, int):
            return most
        sizes = range(most, max(2 * most // 3, FEWEST) - 1, -1)
        even = min(sizes, key=lambda n: -(-whole // n) * n, default=most)
        return min(even, max(whole, 1))

    def bytes_of_lanes(self, c: Contraction) -> int:
        """Of the lanes' operand, as far as a block of rows reads it."""
        own = axes_of(c.access) - set(self.shared)
        return bytes_of(element_of(c.stage.ins[c.rhs])) * prod(extent(c.stage, a) for a in own)

    def block_of_keys(self, whole: int) -> int:
        """The most keys whose scores take three quarters of the first cache, by panels, such that blocks are even."""
        line = self.rows * bytes_of(element_of(self.first.stage.results[0]))
        most = max(self.machine.l1_bytes * 3 // 4 // line, LEAST * self.width)
        if whole <= most:
            return 0
        sizes = range(most // self.width * self.width, (LEAST - 1) * self.width, -self.width)
        return next((n for n in sizes if whole % n == 0), 0)

    def axis(self, number: int) -> str:
        """What a split calls the new axes of keys, one after the other."""
        return f"{self.keys}{number + bool(self.blocks)}"

    def steps(self) -> list[str]:
        reads = [axes_of(access) for _, access in self.first.stage.reads()]
        batch = [a for a in self.shared if a != self.m]
        every = [a for a in batch if all(a in used for used in reads)]
        steps = [step("nest", self.names, axis=a) for a in every]
        if self.blocks:
            keyed = [s.label.data for s in self.stages if s.extent(self.keys) is not None]
            steps.append(step("split", keyed, axis=self.keys, size=self.blocks))
        for c in self.found.values():
            steps += self.packed(c)
        steps += [step("nest", self.names, axis=a) for a in batch if a not in every]
        several = self.rows * (SEVERAL if self.far else 1)
        steps += tile(self.names, self.m, several, self.first.stage)
        if self.blocks:
            steps += self.in_blocks(several)
        for part in self.parts:
            head = self.found.get(part[0].label.data)
            if head is not None:
                steps += self.product(part, head)
            else:
                steps += self.by_blocks(part) if self.skips else self.by_rows(part)
        return [*steps, "loop-skip"] if self.skips else steps

    def packed(self, c: Contraction) -> list[str]:
        """A copy of the lanes' operand for all rows, if its lanes are not contiguous: panel by panel."""
        if not c.transposed or c.stage.ins[c.rhs] in self.made:
            return []
        if c is not self.first or not self.panels:
            return pack(c, extent(c.stage, c.n), self.shared, self.machine)
        panels = step("split", [s.label.data for s in self.parts[0]], axis=c.n, size=self.width)
        order = [*([f"{self.keys}0"] if self.blocks else []), self.axis(0)]
        return [panels, *pack(c, self.width, self.shared, self.machine, order)]

    def in_blocks(self, several: int) -> list[str]:
        """A loop over blocks of keys that carries what is summed so far; tiles of rows in it, and vectors for what is
        done for each row."""
        steps = [step("rescale", self.names, axis=f"{self.keys}0")]
        run = [s for s in self.stages if s.extent(self.keys) is not None]
        sums = [s.label.data for s in run if s is not self.first.stage and "add" in combined(s, self.keys)]
        inner = [*(s.label.data for s in run), RUNNING, *(f"{n}_{SO_FAR}" for n in sums)]
        if several > self.rows:
            steps += tile(inner, self.m, self.rows, self.first.stage)
        wide = [n for n in sums if n in self.found]
        lanes = [step("vectorize", [f"{n}_{end}"], axes=[self.found[n].n]) for n in wide for end in (FIRST, FINAL)]
        return [*steps, *lanes, step("vectorize", [RUNNING], axes=[self.m])]

    def product(self, part: list[StageOp], c: Contraction) -> list[str]:
        """A contraction and what follows it over its lanes, in register tiles.

        In a block of several tiles of rows all of them use a panel, or a block of what is summed, before the next one.
        """
        names, last = [s.label.data for s in part], c is not self.first
        own, steps = names, list[str]()
        if self.blocks and last:
            own = [c.label, f"{c.label}_{SO_FAR}"]
        elif self.far and last:  # sums over blocks are complete behind all of them
            own, steps = [c.label], self.summed_blocks(c)
        if self.panels and not last:
            steps.append(step("nest", names, axis=self.axis(0)))
        if self.far and not self.blocks:
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
        whole = self.blocks > split if self.blocks and lane == self.keys else long(first, lane, split)
        return [*([step("split", own, axis=lane, size=split)] if whole else []), step("vectorize", own, axes=[lane])]

    def by_blocks(self, part: list[StageOp]) -> list[str]:
        """For a tile of rows at a time, loops over vectors of keys, which can end early; sums of lanes behind them."""
        labels = [s.label.data for s in part if s.extent(self.keys) is not None]
        if not labels:
            return self.by_rows(part)
        summing = [s.label.data for s in part if s.label.data in labels and combined(s, self.keys)]
        totals = [f"{n}_{TOTAL}" for n in summing]
        lanes = lanes_of(part, self.machine)
        rest = [s.label.data for s in part if s.label.data not in labels]
        return [
            step("split", labels, axis=self.keys, size=lanes),
            step("partial", summing, axis=self.keys, parts=lanes),
            *(step("nest", [label], axis=self.axis(0)) for label in labels),
            step("vectorize", [*labels, *totals], axes=[self.m, self.axis(1)]),
            *([step("vectorize", rest, axes=[self.m])] if rest else []),
        ]


def combined(stage: StageOp, axis: str) -> list[str]:
    """How results are combined along an axis."""
    return [t.data.mode for t in stage.targets.data if axis not in axes_of(t.data.access)]


def masked(part: list[StageOp], axis: str) -> bool:
    """Does something become constant along an axis? Then there may be blocks that need not be computed."""
    extents = {a.name: a.extent for s in part for a in s.axes}
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
