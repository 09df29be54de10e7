"""Schedules for contractions: a register tile of rows by lanes, packed where lanes are not contiguous or far apart.

Any stage that reduces, whose result spreads two axes that no read shares, is one: matmul, batched and transposed
products, einsums, convolutions (window axes are reduced), with any prologue in the body.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from ....dialects.loop.linear import axes_of
from ....dialects.loop.ops import StageOp, element_of, shape
from ...machine import Machine
from .reorder import TYPICAL, axis_stride, strides_of
from .steptext import bytes_of, extent, lanes_of, step

SKINNY = 4
"""With this few rows, transposed lanes are not worth a copy: partial sums along the reduced axis instead."""


LINES = 32
"""Lines of a streamed matrix that are read together: as many as there are pages and prefetches in flight."""


@dataclass(frozen=True)
class Contraction:
    """sum over `k` of lhs[.., m, k] * rhs[.., k, n]; `n` runs along vector lanes."""

    stage: StageOp
    m: str
    n: str
    k: tuple[str, ...]
    rhs: int

    @property
    def label(self) -> str:
        return self.stage.label.data

    @property
    def rhs_name(self) -> str:
        return self.stage.ins[self.rhs].name_hint or ""

    @property
    def transposed(self) -> bool:
        """Lanes are not contiguous in memory."""
        return self.stride(self.n) != 1

    def stride(self, axis: str) -> int:
        """Elements between neighbours along an axis in the lanes' operand."""
        value, access = self.stage.reads()[self.rhs]
        return axis_stride(access, strides_of(value), axis)

    @property
    def rhs_bytes(self) -> int:
        dims = shape(self.stage.ins[self.rhs])
        return bytes_of(element_of(self.stage.ins[self.rhs])) * prod(d if isinstance(d, int) else TYPICAL for d in dims)


def contraction(stage: StageOp) -> Contraction | None:
    """The stage as a contraction, or None."""
    if len(stage.results) != 1 or not stage.target(0).mode or len(stage.ins) < 2 or any(a.kind for a in stage.axes):
        return None
    result = [form.terms[0][0] for form in stage.target(0).access if len(form.terms) == 1]
    k = tuple(a.name for a in stage.axes if a.name not in result)
    if not result or not k:
        return None
    used = [axes_of(access) for _, access in stage.reads()]
    n = result[-1]
    rhs = [i for i, names in enumerate(used) if n in names and names & set(k)]
    lhs = [i for i, names in enumerate(used) if n not in names and names & set(k)]
    rows = [m for m in result if any(m in used[i] for i in lhs) and not any(m in used[i] for i in rhs)]
    if len(rhs) != 1 or not rows:
        return None
    return Contraction(stage, rows[-1], n, k, rhs[0])


def register_tile(c: Contraction, machine: Machine) -> tuple[int, int]:
    """Rows and lanes: least padding, then fewest loads per multiply-add, within the register file."""
    m, n, lanes = extent(c.stage, c.m), extent(c.stage, c.n), lanes_of([c.stage], machine)

    def cost(rows: int, width: int) -> float:
        natives = -(-width // lanes)
        padding = -(-m // rows) * rows / m * (-(-n // width) * natives * lanes / n)
        idle = max(1.0, 4 * machine.fma_per_cycle / (rows * natives))
        return padding * idle * (1 + 0.1 * (rows + natives) / (rows * natives))

    shapes = [
        (r, v) for v in range(min(8, machine.registers // 4), 0, -1) for r in range(1, machine.registers // 2 - 1)
    ]
    fits = [(r, v) for r, v in shapes if r * v <= machine.registers - 4 and (r + 1) * v < machine.registers]
    tiles = dict.fromkeys((min(r, max(m, 1)), min(v * lanes, max(n, 1))) for r, v in fits)
    return min(tiles, key=lambda t: cost(*t))


def schedule_contraction(c: Contraction, group: list[StageOp], batch: list[str], machine: Machine) -> list[str]:
    """Batch loops, lane tiles, packed lanes, row tiles around the contraction and the stages that follow it."""
    names = [s.label.data for s in group]
    reads = [axes_of(access) for _, access in c.stage.reads()]
    everywhere = [a for a in batch if all(a in names_ for names_ in reads)]
    rows, width = register_tile(c, machine)
    steps = [step("nest", names, axis=a) for a in everywhere]
    if c.transposed and isinstance(c.stage.extent(c.m), int) and extent(c.stage, c.m) <= SKINNY:
        return [*steps, *along_k(c, names, [a for a in batch if a not in everywhere], machine)]
    if streams(c, machine):
        return [*steps, *blocks_of_k(c, names, [a for a in batch if a not in everywhere], width)]
    steps += tile(names, c.n, width, c.stage)
    if c.transposed or (4 * c.rhs_bytes >= machine.l2_bytes and extent(c.stage, c.m) >= 8 * rows):
        steps += pack(c, min(width, extent(c.stage, c.n)), machine)
    steps += [step("nest", names, axis=a) for a in batch if a not in everywhere]
    steps += tile(names, c.m, rows, c.stage)
    return [*steps, step("vectorize", names, axes=[c.m, c.n])]


def tile(names: list[str], axis: str, size: int, stage: StageOp) -> list[str]:
    """A tile step, unless the axis is no longer than a tile."""
    whole = stage.extent(axis)
    return [] if isinstance(whole, int) and whole <= size else [step("tile", names, axis=axis, size=size)]


def streams(c: Contraction, machine: Machine) -> bool:
    """Few rows against a large matrix: it is read once, from memory, and should be read along its rows."""
    few = isinstance(c.stage.extent(c.m), int) and extent(c.stage, c.m) <= SKINNY
    long_rows = extent(c.stage, c.n) >= 4 * LINES and extent(c.stage, c.k[0]) > LINES
    return few and long_rows and not c.transposed and len(c.k) == 1 and c.rhs_bytes >= machine.l2_bytes


def blocks_of_k(c: Contraction, names: list[str], batch: list[str], width: int) -> list[str]:
    """Some lines of the matrix at a time, added up in the result, which stays in the caches."""
    others = [n for n in names if n != c.label]
    steps = [step("nest", names, axis=a) for a in batch]
    steps += [step("tile", [c.label], axis=c.k[0], size=LINES), *tile([c.label], c.n, width, c.stage)]
    steps.append(step("vectorize", [c.label], axes=[c.m, c.n]))
    if others:
        steps += [*tile(others, c.n, width, c.stage), step("vectorize", others, axes=[c.n])]
    return steps


def along_k(c: Contraction, names: list[str], batch: list[str], machine: Machine) -> list[str]:
    """Few rows against transposed lanes: both operands are contiguous along k, so lanes run there."""
    lanes = lanes_of([c.stage], machine)
    inner = c.k[-1]
    steps = [step("nest", names, axis=a) for a in batch]
    steps += tile(names, c.n, 4, c.stage)
    if not isinstance(c.stage.extent(inner), int) or extent(c.stage, inner) > lanes:
        steps.append(step("split", [c.label], axis=inner, size=lanes))
    return [*steps, step("vectorize", [c.label], axes=[c.m, c.n, inner])]


def pack(c: Contraction, columns: int, machine: Machine) -> list[str]:
    """Copy `columns` of the lanes' operand into the order in which the tile reads them."""
    access = c.stage.reads()[c.rhs][1]
    kept = axes_of(access)
    if not all(isinstance(c.stage.extent(n), int) for n in kept if c.stage.extent(n) is not None and n != c.n):
        return []
    copy = f"pack_{c.rhs_name}"
    axes = [a.name for a in c.stage.axes if a.name in kept and a.name != c.n and a.name in c.k]
    others = [a.name for a in c.stage.axes if a.name in kept and a.name not in (*axes, c.n)]
    steps = [step("pack", [c.label], value=c.rhs_name, axes=[*others, *axes, c.n])]
    inner = next((n for n in c.k if c.stride(n) == 1), "")
    lanes = lanes_of([c.stage], machine)
    if c.transposed and inner and extent(c.stage, inner) >= lanes:
        squares = ((inner, extent(c.stage, inner)), (c.n, columns))
        # Squares of lanes by lanes are turned in registers.
        turned = [step("split", [copy], axis=a, size=lanes) for a, e in squares if e > lanes]
        return [*steps, *turned, step("vectorize", [copy], axes=[inner, c.n])]
    wide = [step("split", [copy], axis=c.n, size=4 * lanes)] if columns > 4 * lanes else []
    return [*steps, *wide, step("vectorize", [copy], axes=[c.n])]
