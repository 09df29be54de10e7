"""Which loop around neighbouring stages is parallel: an outer loop over blocks of an axis that they share.

    loop-tile{axis=i size=64 only=mm kind=parallel}

It pays where there is more work than it takes to wake a thread. Blocks are so large that each thread gets several,
nearly the same number each; what is left over when the axis is cut into blocks runs on one thread. Each block writes
elements of its own: blocks are never clamped, and an axis that some result reduces is not cut. All else is scheduled
inside of a block as if the block were everything, so that on one thread nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, prod
from typing import NamedTuple

from xdsl.ir import Operation

from ....dialects.loop.ops import StageOp, element_of, shape
from ...machine import Machine
from .classify import Contraction, contraction
from .register_tile import register_tile, relative_time
from .reorder import TYPICAL
from .rows import VECTORS, contiguous, lane_axis, parallel_axes
from .steptext import bytes_of, extent, lanes_of, step
from .structure import fusable, inner_part

BLOCKS = 4
"""Blocks for each thread, if there is enough to share: who is late is helped by the others."""

MOST_TRIED = 512
"""Sizes of blocks that are compared."""

GAIN = 1.25
"""What several threads must gain."""

FEW = 4
"""Points that take no longer than fewer of them, which one thread does after all blocks."""

CLOSE = 0.95
"""Gains that differ by less are taken for equal."""

PACKING = 8.0
"""Rows that are multiplied in the time in which the other operand is packed, or read from afar."""

WEIGHTS = {"math": 16.0, "arith.divf": 8.0, "arith.divsi": 16.0, "arith.remsi": 16.0, "arith.constant": 0.0}
"""Vector instructions of an operation; others are one."""


class Share(NamedTuple):
    """Blocks of `size` along `axis`, and how many times faster than one thread they are."""

    axis: str
    size: int
    gain: float

    def step(self, names: Sequence[str]) -> str:
        return step("tile", names, axis=self.axis, size=self.size, kind="parallel")


def seconds(group: Sequence[StageOp], machine: Machine) -> float:
    """About how long the stages take on one thread: their instructions, or their traffic; nothing: no points."""
    work, traffic = 0.0, 0
    if not any(prod(extent(stage, a.name) for a in stage.axes) for stage in group):
        return 0.0
    for stage in group:
        points = prod(extent(stage, a.name) for a in stage.axes)
        work += points * max(sum(weight(op) for op in stage.body.block.ops), 1.0)
    for value in dict.fromkeys(v for s in group for v in (*s.ins, *s.results)):
        traffic += bytes_of(element_of(value)) * prod(d if isinstance(d, int) else TYPICAL for d in shape(value))
    rate = machine.fma_per_cycle * lanes_of(group, machine) * machine.clock_ghz * 1e9
    return max(work / rate, traffic / machine.bandwidth(traffic))


def weight(op: Operation) -> float:
    if op.name in ("loop.yield", "loop.index"):
        return 0.0
    return WEIGHTS.get(op.name, WEIGHTS.get(op.name.split(".")[0], 1.0))


def share(group: list[StageOp], machine: Machine, threads: int) -> Share | None:
    """The axis whose blocks keep the threads busiest, the first of equals; None: one thread does it."""
    if threads < 2 or any(a.kind for s in group for a in s.axes) or seconds(group, machine) < 1e-6 * machine.wake_us:
        return None
    found: list[Share] = []
    for axis in axes_of(group, machine):
        if fusable(list(group), axis) and inner_part(list(group), axis) is None:
            unit, grain, overhead = granularity(group, axis, machine)
            whole = group[0].extent(axis)
            if isinstance(whole, int):
                found.append(blocks(axis, whole, unit, grain, overhead, threads, times(group, axis, machine)))
            else:  # what is left over is done point by point
                found.append(Share(axis, min(unit, VECTORS * lanes_of(group, machine)), threads * 0.95))
    most = max((s.gain for s in found), default=0.0)
    return next(s for s in found if s.gain >= CLOSE * most) if most >= GAIN else None


def axes_of(group: list[StageOp], machine: Machine) -> list[str]:
    """The axes that may be shared, the best of equals first: rows last where each block of them packs everything."""
    axes, c = parallel_axes(group), contraction(group[0])
    if c is not None and c.m in axes and packs(c, machine):
        axes.remove(c.m)
        axes.append(c.m)
    return axes


def packs(c: Contraction, machine: Machine) -> bool:
    return c.transposed or (4 * c.rhs_bytes >= machine.l2_bytes and not c.packed)


def granularity(group: list[StageOp], axis: str, machine: Machine) -> tuple[int, int, float]:
    """The least size of a block, of what it is a multiple, and what a block costs besides its points, in points."""
    lanes = lanes_of(group, machine)
    c = contraction(group[0])
    if c is not None and axis in (c.m, c.n):
        rows, width, *_ = register_tile(c, machine, len(group) > 1)
        if axis == c.n:
            return width, min(lanes, width), width / 64
        return rows, 1, PACKING if packs(c, machine) else rows / 16
    widest = max(group, key=lambda s: len(s.axes))
    if axis == lane_axis(group, widest, machine) or any(contiguous(s, axis) for s in group):
        return VECTORS * lanes, lanes, lanes / 4
    return 1, 1, 1 / 16


def times(group: list[StageOp], axis: str, machine: Machine) -> Callable[[int], float]:
    """The relative time for each point of a block by its size: of a contraction, in the tiles that it gets then."""
    c = contraction(group[0])
    if c is None or c.inner or axis not in (c.m, c.n):
        return lambda size: 1.0
    return lambda size: relative_time(c, machine, len(group) > 1, axis, size)


def blocks(
    axis: str,
    whole: int,
    unit: int,
    grain: int,
    overhead: float,
    threads: int,
    each: Callable[[int], float] = lambda size: 1.0,
) -> Share:
    """The size that leaves threads idle least: BLOCKS for each or fewer, if that does nearly as well; `each`: the time
    for each point by the size of the block that it is in."""

    def gain(size: int) -> float:
        count, rest = divmod(whole, size)
        left = max(-(-rest // grain) * grain, FEW) if rest else 0
        return whole / (ceil(count / threads) * (size + overhead) + left) if whole else 0.0

    def sizes(largest: int) -> list[int]:
        first = -(-unit // grain) * grain
        span = range(first, max(largest, first) + 1, grain)
        stride = -(-len(span) // MOST_TRIED)
        return list(span[:: -stride if stride > 1 else -1])

    counts = [BLOCKS >> k for k in range(BLOCKS.bit_length())]
    tried = list(dict.fromkeys(max(sizes(-(-whole // (n * threads))), key=gain) for n in counts))
    alone = each(whole)
    gains = [gain(size) * alone / each(size) for size in tried]
    size, best = next((s, g) for s, g in zip(tried, gains, strict=True) if g >= CLOSE * max(gains))
    return Share(axis, size, best)
