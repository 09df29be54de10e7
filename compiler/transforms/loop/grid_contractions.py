"""GPU mapping of contractions: a tile of the result to a block, parts of it to threads, operands in shared memory.

    loop-tile{axis=i size=128 kind=block},loop-tile{axis=j size=128 kind=block},    the block's tile
    loop-tile{axis=k size=16 only=mm},                                              what is in shared memory at a time
    loop-pack{value=A axes=k,i only=mm},loop-pack{value=B axes=k,j only=mm},        copied by all threads of the block
    loop-distribute{axis=i threads=16 lanes=4},loop-distribute{axis=j ..}           8 x 8 elements to a thread

The tile is the one with the least estimated time: waves of blocks over the multiprocessors, each as long as its
multiply-adds and reads of shared memory take.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from ....dialects.loop.linear import axes_of
from ....dialects.loop.ops import StageOp, element_of
from ...machine import Machine
from .classify import Contraction, contraction
from .grid_rows import bits, divisor, known
from .pack import PREFIX
from .reorder import axis_stride, strides_of
from .rows import parallel_axes
from .steptext import bytes_of, extent, step

THREADS = 256
"""Of a block, at most."""

DEEP = (32, 16, 8)
"""Points of the reduced axis that are in shared memory at a time."""

SIDES = (128, 64, 32, 16, 8)
"""Of a block's tile."""

LEAST = 16
"""Rows and lanes below which a contraction is mapped like any reduction."""


@dataclass(frozen=True)
class Tile:
    """A block's tile: rows and lanes, and threads along each."""

    rows: int
    width: int
    down: int
    across: int

    @property
    def each(self) -> tuple[int, int]:
        """Elements of a thread."""
        return self.rows // self.down, self.width // self.across

    def seconds(self, m: int, n: int, k: int, batch: int, machine: Machine) -> float:
        """How long a contraction takes: each multiprocessor works through its share of the tiles."""
        tiles = batch * -(-m // self.rows) * -(-n // self.width)
        high, wide = self.each
        work = self.rows * self.width * k / machine.fma_per_cycle
        reads = 1 + (high + wide) / (high * wide)
        idle = max(1.0, THREADS / (self.down * self.across))
        return -(-tiles // machine.cores) * work * reads * idle / (machine.clock_ghz * 1e9)


def tiles(m: int, n: int, lanes: int) -> list[Tile]:
    """Tiles that fit, threads of which have squares of elements."""
    found: list[Tile] = []
    for rows in SIDES:
        for width in SIDES:
            if rows > m or width > n:
                continue
            for high in (8, 4, 2, 1):
                for wide in (8, 4, 2, 1):
                    threads = (rows // high) * (width // wide) if rows % high == 0 and width % wide == 0 else 0
                    if 32 <= threads <= THREADS and wide % min(lanes, wide) == 0:
                        found.append(Tile(rows, width, rows // high, width // wide))
    return found


def contractions(group: list[StageOp], machine: Machine) -> list[str]:
    """Steps for a contraction and what follows it."""
    c = contraction(group[0])
    if c is None or c.inner:
        return []
    m, n, depth = known(group, c.m), known(group, c.n), known(group, c.k[-1])
    if m is None or n is None or depth is None or m < LEAST or n < LEAST:
        return []
    only = [s.label.data for s in group]
    batch = [a for a in parallel_axes(group) if a not in (c.m, c.n)]
    points = prod(extent(c.stage, a) for a in batch)
    whole = prod(extent(c.stage, a) for a in c.k)
    lanes = max(1, machine.vector_bytes // bytes_of(element_of(c.stage.results[0])))
    found = tiles(m, n, lanes)
    if not found:
        return []
    tile = min(found, key=lambda t: t.seconds(m, n, whole, points, machine))
    inner = deepest(c)
    steps = [step("tile", only, axis=a, size=1, kind="block") for a in batch]
    steps += [step("tile", only, axis=a, size=s, kind="block") for a, s in ((c.m, tile.rows), (c.n, tile.width))]
    steps += [step("tile", [c.label], axis=a, size=1) for a in c.k if a != inner]
    size = next((d for d in DEEP if extent(c.stage, inner) >= d), extent(c.stage, inner))
    steps.append(step("tile", [c.label], axis=inner, size=size))
    steps += packs(c, tile, inner, size, machine)
    for axis, length, threads in ((c.m, tile.rows, tile.down), (c.n, tile.width, tile.across)):
        own = length // threads
        steps.append(step("distribute", only, axis=axis, threads=threads, lanes=min(lanes, own)))
    return steps


def deepest(c: Contraction) -> str:
    """The reduced axis that is taken in blocks: the longest one."""
    return max(c.k, key=lambda a: extent(c.stage, a))


def packs(c: Contraction, tile: Tile, inner: str, size: int, machine: Machine) -> list[str]:
    """Copies of both operands for a block of the reduced axis, each shared out along memory."""
    steps: list[str] = []
    threads = tile.down * tile.across
    for value, access in c.stage.reads():
        used = axes_of(access)
        sides = [(a, s) for a, s in ((c.m, tile.rows), (c.n, tile.width)) if a in used]
        if len(sides) != 1 or inner not in used:
            continue
        (side, length), name = sides[0], value.name_hint or ""
        label = f"{PREFIX}{name}"
        steps.append(step("pack", [c.label], value=name, axes=[inner, side]))
        along = inner if axis_stride(access, strides_of(value), inner) == 1 else side
        across = side if along == inner else inner
        counts = {inner: size, side: length}
        width = machine.vector_bytes // bytes_of(element_of(value))
        while width > 1 and (counts[along] % width or axis_stride(access, strides_of(value), across) % width):
            width //= 2
        near = min(bits(counts[along] // width), threads)
        near = divisor(counts[along] // width, near)
        far = divisor(counts[across], max(1, threads // bits(near)))
        steps.append(step("reorder", [label], axes=[across, along]))
        steps.append(step("distribute", [label], axis=across, threads=far))
        steps.append(step("distribute", [label], axis=along, threads=near, lanes=width))
    return steps
