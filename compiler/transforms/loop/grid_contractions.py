"""GPU mapping of contractions: a tile of the result to a block, parts of it to threads, operands in shared memory.

    loop-tile{axis=i size=128 kind=block},loop-tile{axis=j size=128 kind=block},    the block's tile
    loop-tile{axis=k size=16 only=mm},                                              what is in shared memory at a time
    loop-pack{value=A axes=k,i only=mm},loop-pack{value=B axes=k,j only=mm},        copied by all threads of the block
    loop-distribute{axis=i threads=16 lanes=4},loop-distribute{axis=j ..}           8 x 8 elements to a thread

The tile is the one with the least estimated time: waves of blocks over the multiprocessors, each as long as its
multiply-adds and reads of shared memory take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from xdsl.dialects.builtin import bf16, f16, f32, i8
from xdsl.ir import Attribute, BlockArgument, SSAValue

from ....dialects.loop.linear import Access, axes_of
from ....dialects.loop.narrow_products import product, through
from ....dialects.loop.ops import StageOp, element_of
from ...machine import Machine
from .classify import Contraction, contraction
from .grid_rows import WARP, bits, divisor, each, known, names
from .pack import PREFIX
from .reorder import axis_stride, strides_of
from .rows import parallel_axes
from .steptext import bytes_of, extent, step

THREADS = 256
"""Of a block, at most."""

DEEP = (16, 8)
"""Points of the reduced axis that are in shared memory at a time."""

AHEAD = 4
"""Blocks of the reduced axis in shared memory; a power of two, so that their places are cheap to number."""

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
    if m is None or n is None or not depth or m < LEAST or n < LEAST:
        return []
    only = names(group)
    batch = [a for a in parallel_axes(group) if a not in (c.m, c.n)]
    points = prod(extent(c.stage, a) for a in batch)
    whole = prod(extent(c.stage, a) for a in c.k)
    lanes = max(1, machine.vector_bytes // bytes_of(element_of(c.stage.results[0])))
    found = tiles(m, n, lanes)
    if not found:
        return []
    tile = min(found, key=lambda t: t.seconds(m, n, whole, points, machine))
    inner = deepest(c)
    steps = blocks(c, only, batch, Side(c.m, m, tile.rows), Side(c.n, n, tile.width), machine)
    size = next((d for d in DEEP if extent(c.stage, inner) >= d), extent(c.stage, inner))
    steps.append(step("tile", [c.label], axis=inner, size=size))
    if extent(c.stage, inner) % size:
        only.append(f"{c.label}_rest")
    steps += packs(c, tile, inner, size, machine)
    for axis, length, threads in ((c.m, tile.rows, tile.down), (c.n, tile.width, tile.across)):
        own = length // threads
        steps.append(step("distribute", only, axis=axis, threads=threads, lanes=min(lanes, own)))
    ahead = machine.tensor and extent(c.stage, inner) > size
    return [*steps, step("pipeline", [c.label], stages=AHEAD)] if ahead else steps


def deepest(c: Contraction) -> str:
    """The reduced axis that is taken in blocks: the longest one."""
    return max(c.k, key=lambda a: extent(c.stage, a))


def packs(c: Contraction, tile: Tile, inner: str, size: int, machine: Machine) -> list[str]:
    """Copies of both operands for a block of the reduced axis, rows of which the lanes read."""
    steps: list[str] = []
    for k in range(len(c.stage.ins)):
        side, along = sides(c, k, inner)
        if side:
            counts = {inner: size, side: tile.rows if side == c.m else tile.width}
            steps += copy(c, k, [inner, side], along, counts, tile.down * tile.across, machine, turned=along == inner)
    return steps


def sides(c: Contraction, operand: int, inner: str) -> tuple[str, str]:
    """The axis of the result that an operand has, and the axis that walks along its memory; none where it has both."""
    value, access = c.stage.reads()[operand]
    used = [a for a in (c.m, c.n) if a in axes_of(access)]
    if len(used) != 1 or inner not in axes_of(access):
        return "", ""
    return used[0], inner if axis_stride(access, strides_of(value), inner) == 1 else used[0]


def copy(
    c: Contraction,
    operand: int,
    order: list[str],
    along: str,
    counts: dict[str, int],
    threads: int,
    machine: Machine,
    turned: bool,
) -> list[str]:
    """A copy of a tile of an operand, shared out along memory: vectors, or elements where the copy is turned."""
    value, access = c.stage.reads()[operand]
    name, (across,) = value.name_hint or "", [a for a in order if a != along]
    label, element = f"{PREFIX}{name}", bytes_of(element_of(value))
    width = 1 if turned and element in (4, 8) else machine.vector_bytes // element
    while width > 1 and (counts[along] % width or not together(c.stage, access, strides_of(value), along, width)):
        width //= 2
    ragged = any(extent(c.stage, a) % counts[a] for a in order if a not in (c.m, c.n))
    fit: dict[str, int | str | list[str]] = {"fit": "true"} if ragged else {}
    near = divisor(counts[along] // width, min(bits(counts[along] // width), threads))
    far = divisor(counts[across], max(1, threads // bits(near)))
    return [
        step("pack", [c.label], value=name, axes=order),
        step("reorder", [label], axes=[across, along]),
        step("distribute", [label], axis=across, threads=far, **fit),
        step("distribute", [label], axis=along, threads=near, lanes=width, **fit),
    ]


def together(stage: StageOp, access: Access, strides: Sequence[int], along: str, width: int) -> bool:
    """Do so many neighbours along an axis always begin at a multiple of their number?"""
    fixed = sum(form.const * s if isinstance(form.const, int) else 1 for form, s in zip(access, strides))
    others = [axis_stride(access, strides, a.name) for a in stage.axes if a.name != along]
    return all(step % width == 0 for step in (fixed, *others, extent(stage, along)))


@dataclass(frozen=True)
class Fragments:
    """A block's tile for matrix instructions: rows, columns, and warps along each."""

    rows: int
    width: int
    warps: tuple[int, int]

    @property
    def threads(self) -> int:
        return WARP * self.warps[0] * self.warps[1]

    def seconds(self, m: int, n: int, k: int, batch: int, machine: Machine) -> float:
        """Waves of tiles, each as long as its instructions take; small tiles of warps load more than they multiply."""
        tiles = batch * -(-m // self.rows) * -(-n // self.width)
        high, wide = self.rows // self.warps[0], self.width // self.warps[1]
        rate = MATRIX_RATE * min(1.0, high * wide / (high + wide) / 32) ** 0.5 * min(1.0, self.threads / 128)
        return -(-tiles // machine.cores) * self.rows * self.width * k / (rate * machine.clock_ghz * 1e9)


FRAGMENTS = tuple(
    Fragments(rows, width, warps)
    for rows, width, warps in (
        (128, 128, (2, 2)),
        (128, 64, (2, 2)),
        (64, 128, (2, 2)),
        (64, 64, (2, 2)),
        (32, 128, (1, 4)),
        (32, 64, (1, 4)),
        (16, 64, (1, 4)),
        (32, 32, (1, 2)),
        (16, 32, (1, 2)),
    )
)
MATRIX_RATE = 1024.0
"""Multiply-adds of 16-bit factors that a multiprocessor starts in a cycle."""

STAGES = 3
"""Blocks of the reduced axis in shared memory: one is used, the others are under way."""

TENSOR_DEEP = (64, 32, 16)


def tensor_contractions(group: list[StageOp], machine: Machine) -> list[str]:
    """Steps for a contraction of narrow factors by matrix instructions, and what follows it."""
    c = contraction(group[0])
    pair = product(c.stage) if c is not None and not c.inner and machine.tensor else None
    if c is None or pair is None or not all(narrow(v, machine) for v in pair):
        return []
    order = [a.name for a in c.stage.axes]
    rows, columns = sorted((c.m, c.n), key=order.index)
    inner = deepest(c)
    m, n, depth = (known(group, a) for a in (rows, columns, inner))
    if m is None or n is None or not depth:
        return []
    batch = [a for a in parallel_axes(group) if a not in (rows, columns)]
    points = prod(extent(c.stage, a) for a in batch)
    found = [t for t in FRAGMENTS if t.rows <= m and t.width <= n]
    size = next((d for d in TENSOR_DEEP if depth % d == 0), 0)
    if not found or not size:
        return []
    whole = prod(extent(c.stage, a) for a in c.k)
    tile = min(found, key=lambda t: t.seconds(m, n, whole, points, machine))
    only = names(group)
    steps = blocks(c, only, batch, Side(rows, m, tile.rows), Side(columns, n, tile.width), machine)
    deep = [step("tile", [c.label], axis=inner, size=size)] if depth > size else []
    steps += deep
    for k in range(len(c.stage.ins)):
        side, along = sides(c, k, inner)
        if not side:
            return []
        counts = {inner: size, side: tile.rows if side == rows else tile.width}
        axes = [side, inner] if along == inner else [inner, side]
        steps += copy(c, k, axes, along, counts, tile.threads, machine, turned=False)
    steps.append(step("vectorize", [c.label], axes=[inner]))
    steps.append(step("fragment", only, rows=rows, columns=columns, warps=[str(w) for w in tile.warps]))
    return [*steps, step("pipeline", [c.label], stages=min(STAGES, depth // size))] if depth > size else steps


class Side(NamedTuple):
    """An axis of the result, its extent, and how much of it a tile has."""

    axis: str
    extent: int
    size: int

    @property
    def tiles(self) -> int:
        return -(-self.extent // self.size)


def blocks(c: Contraction, only: list[str], batch: list[str], rows: Side, columns: Side, machine: Machine) -> list[str]:
    """A block for each tile of the result; in it, the reduced axes but the deepest one point after the other. Tiles of
    a grid that does not fit at a time go by groups of rows."""
    steps = each(only, batch)
    steps += [step("tile", only, axis=s.axis, size=s.size, kind="block") for s in (rows, columns)]
    if min(rows.tiles, columns.tiles) > GROUP and rows.tiles * columns.tiles > 2 * machine.cores:
        steps.append(step("raster", loop=f"{rows.axis}0", rows=GROUP))
    return steps + [step("tile", [c.label], axis=a, size=1) for a in c.k if a != deepest(c)]


GROUP = 8
"""Rows of tiles that are worked on together."""


def narrow(value: SSAValue, machine: Machine) -> bool:
    """Is it an operand, widened, of an element type that matrix instructions take?"""
    words: dict[Attribute, str] = {bf16: "bf16", f16: "f16", i8: "s8"}
    for cast in ("arith.extf", "arith.extsi"):
        source = through(value, cast)
        if source is None and value.type == f32:
            source = through(value, "arith.bitcast", "arith.shli", "arith.extui", "arith.bitcast")
        if isinstance(source, BlockArgument) and words.get(source.type, "-") in machine.tensor.split():
            return True
    return False
