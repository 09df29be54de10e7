"""Other schedules of a contraction than the one that the rules choose: what a tuner measures.

A `Tile` holds what there is to choose: rows and lanes of the register tile, the block of the reduced axis, which
operands are copied into the order in which tiles read them, and the order of the loops around. `schedule_of` makes
steps of it; `neighbours` lists the tiles that differ in one respect, in an order that is always the same. Whether the
steps apply is found by trying.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ....dialects.loop.linear import axes_of
from ....dialects.loop.ops import StageOp
from ...machine import Machine
from .classify import Contraction
from .classify import candidates as roles
from .contractions import pack, registers, tile
from .register_tile import register_tile
from .steptext import extent, lanes_of, step

LANES, ROWS = "lanes", "rows"
"""The operands: the one whose elements fill the lanes, and the one that is broadcast by rows."""

ORDERS = ("nkm", "mkn", "knm", "kmn")
"""Loops from the outermost on: over lanes, blocks of the reduced axis, rows."""

BLOCKS = (0, 32, 64, 128, 256, 512, 1024, 2048)
"""Sizes of blocks of the reduced axis; 0: all of it."""


@dataclass(frozen=True)
class Tile:
    """One choice."""

    rows: int
    lanes: int
    block: int = 0
    packed: tuple[str, ...] = ()
    order: str = ORDERS[0]
    role: int = 0
    """Which axes carry rows and lanes: a position in `classify.candidates`, counted from the chosen one."""

    def text(self) -> str:
        block = f" k {self.block}" if self.block else ""
        packed = f" packed {'+'.join(self.packed)}" if self.packed else ""
        return f"{self.rows}x{self.lanes}{block}{packed} {self.order if self.block else self.order.replace('k', '')}"


def contractions_of(c: Contraction) -> list[Contraction]:
    """The stage with every pair of rows and lanes, the chosen one first."""
    return [c, *(other for other in roles(c.stage) if (other.m, other.n) != (c.m, c.n))]


def start(c: Contraction, machine: Machine, followed: bool) -> Tile:
    """What the rules would choose of it."""
    rows, lanes, *_ = register_tile(c, machine, followed)
    return Tile(rows, lanes, packed=(LANES,) if c.transposed else ())


def schedule_of(
    c: Contraction, group: Sequence[StageOp], batch: Sequence[str], choice: Tile, machine: Machine
) -> list[str]:
    """The steps of a choice, for a contraction and the stages that share its loops."""
    c = contractions_of(c)[choice.role % len(contractions_of(c))]
    every = [s.label.data for s in group]
    names, others = every, every[1:]
    steps = [step("nest", names, axis=a) for a in batch if a not in (c.m, c.n)]
    k = max(c.k, key=lambda a: extent(c.stage, a))
    done: set[str] = set()
    copied: set[str] = set()
    for letter in choice.order:
        if letter == "n":
            steps += tile(names, c.n, choice.lanes, c.stage)
        elif letter == "m":
            steps += tile(names, c.m, choice.rows, c.stage)
        elif choice.block:
            names = [c.label]
            steps += tile(names, k, choice.block, c.stage)
        done.add(letter)
        if LANES in choice.packed and LANES not in copied and {"n", "k"} <= done:
            copied.add(LANES)
            steps += pack(c, min(choice.lanes, extent(c.stage, c.n)), list(batch), machine)
        if ROWS in choice.packed and ROWS not in copied and {"m", "k"} <= done:
            copied.add(ROWS)
            steps += pack_rows(c, batch)
    steps += registers(c, names)
    if names != every and others:
        steps += [*tile(others, c.n, choice.lanes, c.stage), *tile(others, c.m, choice.rows, c.stage)]
        steps += registers(c, others)
    return steps


def pack_rows(c: Contraction, batch: Sequence[str]) -> list[str]:
    """Copy the rows of a tile so that those that are broadcast one after the other are neighbours."""
    value, access = c.stage.reads()[c.lhs]
    name = value.name_hint
    if not name:
        return []
    kept = axes_of(access) - set(batch)
    axes = [a.name for a in c.stage.axes if a.name in kept and a.name != c.m]
    return [step("pack", [c.label], value=name, axes=[*axes, c.m]), step("vectorize", [f"pack_{name}"], axes=[c.m])]


def neighbours(c: Contraction, at: Tile, machine: Machine) -> list[list[Tile]]:
    """For each respect, the choices that differ in it alone, the nearest first."""
    c = contractions_of(c)[at.role % len(contractions_of(c))]
    m, n, lanes = extent(c.stage, c.m), extent(c.stage, c.n), lanes_of([c.stage], machine)
    natives = -(-at.lanes // lanes)
    longest = max(extent(c.stage, a) for a in c.k)
    rows = sorted(
        (r for r in range(1, most_rows(natives, machine) + 1) if r <= m), key=lambda r: (abs(r - at.rows), -r)
    )
    widths = sorted((v for v in range(1, 9) if (v - 1) * lanes < n), key=lambda v: (abs(v - natives), v))
    blocks = sorted((b for b in BLOCKS if b < longest), key=lambda b: abs(BLOCKS.index(b) - nearest_block(at.block)))
    orders = [o for o in ORDERS if at.block or o in ORDERS[:2]]
    sets = [(), (LANES,), (ROWS,), (LANES, ROWS)]
    found = [
        [replace(at, rows=r) for r in rows],
        [widened(at, v, lanes, n, m, machine) for v in widths],
        [replace(at, block=b) for b in blocks],
        [replace(at, packed=p) for p in sets],
        [replace(at, order=o) for o in orders],
        [replace(at, role=r) for r in range(len(contractions_of(c)))],
    ]
    return [[t for t in dict.fromkeys(tiles) if t != at] for tiles in found]


def nearest_block(block: int) -> int:
    return BLOCKS.index(block) if block in BLOCKS else 0


def most_rows(natives: int, machine: Machine) -> int:
    """The rows of accumulators that leave registers for a row of lanes and a broadcast."""
    return max(1, (machine.tile_registers - 1) // max(1, natives) - 1)


def widened(at: Tile, natives: int, lanes: int, n: int, m: int, machine: Machine) -> Tile:
    """As many vectors in a row, and as many rows as fit then, if there were as many as fit before or too many."""
    before = most_rows(-(-at.lanes // lanes), machine)
    most = min(most_rows(natives, machine), max(m, 1))
    rows = most if at.rows >= min(before, m) - 2 else min(at.rows, most)
    return replace(at, lanes=min(natives * lanes, max(n, 1)), rows=rows)
