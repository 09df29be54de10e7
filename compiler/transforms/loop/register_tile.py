"""The register tile of a contraction: rows, lanes, and how what they do not divide is cut, by what all tiles cost.

    97 lanes: tiles of 32, the last one clamped, are 8 vectors of 16 for each row; of 33, 32 and 32 are 3 + 2 + 2

Costs are cycles for each point of the reduced axes. A tile multiplies, loads its factors, and waits for the caches that
its lanes come from; these overlap, so the cost is near the largest of the three (`OVERLAP`). All tiles are counted with
what they do in vain: empty lanes of the last vector, points that a clamped tile computes twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import gcd, prod
from typing import NamedTuple

from ....dialects.loop.combiners import is_integer
from ....dialects.loop.linear import axes_of
from ....dialects.loop.ops import element_of
from ...machine import Machine
from .classify import Contraction
from .steptext import bytes_of, extent, lanes_of

LINE, PAGE = 64, 4096
"""Bytes that caches move at once; a first cache has as many ways as pages, so its place of a line is that in a page."""

OVERLAP = 4.0
"""The exponent of the norm that joins costs which overlap: infinity would be the largest of them."""

LATENCY = 4.0
"""Cycles of a multiply-add: so long the next one waits that adds to the same vector."""

START = 15.0
"""Cycles of a tile before and after its loop that no others hide."""

CROSSING = 1.3
"""What a load of a line's length costs besides, which is not aligned and crosses lines."""

STAYS = 0.5
"""A panel that fills this part of the first cache stays there; one larger by the whole cache is gone each time."""

BURST = 4
"""Vectors in a row from a far cache that come while others are multiplied: of more, only few rows make use, or a
result of two tiles' width."""

NEAR, STRIDED, LATE = 0.65, 0.85, 2.0
"""What transfers cost of those at full rate: of a panel without gaps; of one whose lines are asked for ahead; of the
factors of the rows, whose lines come one at a time."""

CONFLICTS = 1.08
"""Times as long as the third cache alone takes, where lines of a panel push each other out of the second."""

PACKED = 5.0
"""Cycles to pack a vector."""

PIECES = 0.02
"""What code for a second width must gain."""

MANY = 24
"""Rows that pay for a copy of what is far apart in memory, if the third cache does not keep up."""


class Tile(NamedTuple):
    """Rows and lanes; the options of the step that cuts the lanes; is a panel of them packed first?"""

    rows: int
    width: int
    ends: str = ""
    packed: bool = False


class Panel(NamedTuple):
    """The lanes' operand as tiles read it."""

    depth: int
    """Points of the reduced axes."""
    size: int
    """Bytes of an element, as tiles read it."""
    stride: int
    """Bytes between neighbours along the innermost reduced axis."""
    far: float
    """Cycles for an element that is read the first time, unless it is packed."""
    passes: float
    """Times that all rows are multiplied by the same panel."""
    others: float
    """Cycles until the rows' factor for one row comes from where it lies."""
    packing: float
    """What packing it costs for each multiply-add."""
    conflicts: bool
    """Unless it is packed, do its lines come from the third cache each time, which keeps up?"""


def register_tile(
    c: Contraction,
    machine: Machine,
    followed: bool = False,
    pieces: bool = False,
    ways: int = 1,
    even: bool = False,
) -> Tile:
    """The cheapest tile within the register file. A register more is left free for what is `followed` by stages over
    the tile; lanes may be cut into `pieces` of different widths; an instruction
    adds so many `ways` of products;
    `even`: tiles divide all rows, if some do."""
    m, n = max(extent(c.stage, c.m), 1), max(extent(c.stage, c.n), 1)
    tiles = shapes(m, n, c, machine, followed, pieces and isinstance(c.stage.extent(c.n), int), ways)
    if even:
        tiles = [t for t in tiles if m % t[0] == 0] or tiles
    return cheapest(m, n, *described(c, machine, m, n, ways), tuple(tiles), machine)[1]


def relative_time(c: Contraction, machine: Machine, followed: bool, axis: str, size: int) -> float:
    """The time for each multiply-add of a block of so many points of an axis, in its best tiles: 1 is the peak."""
    m, n = (size if axis == a else max(extent(c.stage, a), 1) for a in (c.m, c.n))
    tiles = shapes(m, n, c, machine, followed, True, 1)
    return cheapest(m, n, *described(c, machine, m, n), tuple(tiles), machine)[0]


def described(
    c: Contraction, machine: Machine, m: int, n: int, ways: int = 1
) -> tuple[int, Panel, tuple[bool, ...], tuple[float, ...]]:
    """Of a block of m rows and n lanes: elements of a vector, the lanes' operand, whether it may or must be packed, and
    what the result costs in multiply-adds for each of them, by the rows of a tile."""
    stage, lanes = c.stage, lanes_of([c.stage], machine)
    size = bytes_of(element_of(stage.ins[c.rhs]))
    copied = c.transposed or c.packed or c.constant or ways > 1
    if c.converts(c.rhs) and not copied:
        size = machine.vector_bytes // lanes
    sizes = {a.name: max(extent(stage, a.name), 1) for a in stage.axes} | {c.m: m, c.n: n}
    points, depth = prod(sizes.values()), prod(sizes[a] for a in c.k)
    read = prod(sizes[a] for a in axes_of(c.access) if a in sizes)
    rows_bytes = c.lhs_bytes * m // max(extent(stage, c.m), 1)
    lanes_bytes = c.rhs_bytes * n // max(extent(stage, c.n), 1)
    stride = c.stride(c.k[-1]) * size if c.k else size
    spread = rows_bytes > machine.l1_bytes / 2
    # far apart, lines share their places in the caches, and pages are more than these have places for
    apart = lanes_bytes > machine.l2_bytes or (4 * lanes_bytes >= machine.l2_bytes and stride % LINE == 0)
    near = machine.l3_keeps_up and 2 * lanes_bytes <= machine.l3_bytes
    many = not c.windowed and m >= MANY
    panel = Panel(
        depth=-(-depth // ways),
        size=size * ways,
        stride=stride,
        far=transfer(size * ways, lanes_bytes, machine),
        passes=max(1.0, points / (read * m)),
        others=transfer(ways * bytes_of(element_of(stage.ins[c.lhs])), rows_bytes, machine) * LATE if spread else 0.0,
        packing=0.0 if copied else PACKED * machine.fma_per_cycle * ways * read / points,
        conflicts=many and apart and near,
    )
    choices = (True,) if copied or (many and apart and not near) else (False, True) if many else (False,)
    stored = tuple(c.stored(min(rows, lanes) / lanes) for rows in range(1, machine.registers))
    return lanes, panel, choices, stored


@lru_cache(1024)
def cheapest(
    m: int,
    n: int,
    lanes: int,
    panel: Panel,
    choices: tuple[bool, ...],
    stored: tuple[float, ...],
    tiles: tuple[tuple[int, int, str], ...],
    machine: Machine,
) -> tuple[float, Tile]:
    """Of all tiles, with its time for each multiply-add by that at the peak."""

    def cost(tile: Tile) -> float:
        passes = -(-m // tile.rows) * panel.passes
        cycles = sum(count * of_tiles(tile, width, passes, lanes, panel, machine) for width, count in widths(tile, n))
        total = cycles / panel.passes * machine.fma_per_cycle * lanes / (m * n)
        total *= 1 + PIECES * (tile.ends != "")
        return total + panel.packing * tile.packed + stored[tile.rows - 1]

    found = [Tile(*t, p) for t in tiles for p in choices]
    costs = [cost(t) for t in found]
    least = min(costs)
    return least, found[costs.index(least)]


def shapes(
    m: int, n: int, c: Contraction, machine: Machine, followed: bool, cut: bool, ways: int
) -> list[tuple[int, int, str]]:
    """Rows, lanes and ends of tiles that fit the registers, with what is read once for each point of the result, beside
    a row of factors and some that are loaded ahead."""
    integers = is_integer(element_of(c.stage.results[0])) and ways == 1
    # without fused multiply-adds, a product needs a register before it is added; one of integers is made of several
    registers = machine.tile_registers - (not machine.has_fma) - 2 * integers - followed
    lanes = lanes_of([c.stage], machine)
    held = 1 + sum({c.m, c.n} <= (names := axes_of(access)) and not names & {*c.k} for _, access in c.stage.reads())
    found: dict[tuple[int, int, str], None] = {}
    for vectors in range(min(8, registers // 4), 0, -1):
        if vectors > BURST < m and n > 2 * vectors * lanes:
            continue
        for rows in range(1, registers // 2 - 1):
            tile = rows * vectors * held
            # tiles much smaller than the registers serve only fewer rows
            if rows < m and 5 * tile < 2 * (registers - 4):
                continue
            if tile <= registers - 4 and (rows + 1) * vectors < registers - 1:
                for width, ends in cuts(n, vectors * lanes, cut):
                    found[min(rows, m), width, ends] = None
    return list(found)


def cuts(n: int, most: int, cut: bool) -> Iterator[tuple[int, str]]:
    """Ways to cut n lanes into tiles of at most so many."""
    yield min(most, n), ""
    if cut and n > most and n % most:
        yield most, "cut"
        yield -(-n // -(-n // most)), "balanced"


def widths(tile: Tile, n: int) -> list[tuple[int, int]]:
    """Widths of tiles, and how many there are of each."""
    count = -(-n // tile.width)
    if tile.ends == "balanced":
        size, longer = divmod(n, count)
        return [(size + 1, longer), (size, count - longer)]
    if tile.ends == "cut":
        return [(tile.width, count - 1), (n % tile.width, 1)]
    return [(tile.width, count)]


def of_tiles(tile: Tile, width: int, passes: float, lanes: int, panel: Panel, machine: Machine) -> float:
    """Cycles for each point of the reduced axes of all tiles of rows by one panel."""
    rows, vectors = tile.rows, -(-width // lanes)
    busy = max(rows * vectors / machine.fma_per_cycle, LATENCY)
    each = 1.0 if tile.packed and width % lanes == 0 else 1.0 + CROSSING * machine.vector_bytes / LINE
    loads = (rows + vectors * each) / machine.fma_per_cycle

    def waiting(element: float) -> float:
        waits = vectors * lanes * element + rows * panel.others
        return (busy**OVERLAP + loads**OVERLAP + waits**OVERLAP) ** (1 / OVERLAP)

    again = wait(width, panel, tile.packed, machine)
    if panel.conflicts and not tile.packed:
        return passes * (CONFLICTS * waiting(panel.far) + START / panel.depth)
    first = waiting(again if tile.packed else max(again, panel.far))
    return (passes - 1) * waiting(again) + first + passes * START / panel.depth


def wait(width: int, panel: Panel, packed: bool, machine: Machine) -> float:
    """Cycles for an element of a panel as it is read again by each tile of rows."""
    dense = packed or width * panel.size == panel.stride
    taken = width * panel.size + (0 if dense else LINE)
    if not dense and panel.stride % LINE == 0:
        # lines that lie a multiple of the page apart share their place
        places = PAGE // gcd(panel.stride, PAGE) * -(-taken // LINE)
        room = machine.l1_bytes * min(1.0, places * LINE / PAGE)
    else:
        room = machine.l1_bytes
    missed = min(1.0, max(0.0, panel.depth * taken / room - STAYS))
    return missed * transfer(panel.size, panel.depth * taken, machine) * (NEAR if dense else STRIDED)


def transfer(count: int, footprint: int, machine: Machine) -> float:
    """Cycles for so many bytes of something so large, which is not in the first cache."""
    return count * machine.clock_ghz / (machine.l2_gbs if footprint <= machine.l2_bytes / 2 else machine.l3_gbs)
