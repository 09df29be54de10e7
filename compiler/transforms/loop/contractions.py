"""Schedules for contractions: a register tile of rows by lanes, packed where lanes are not contiguous or far apart.

Any stage that reduces, whose result spreads two axes that no read shares, is one: matmul, batched and transposed
products, einsums, convolutions (window axes are reduced), with any prologue in the body. Which axis carries the lanes
and which the rows is decided in `classify.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ....dialects.loop.linear import axes_of
from ....dialects.loop.ops import StageOp, element_of
from ...machine import Machine
from .classify import Contraction, bytes_in
from .pack import PREFIX
from .register_tile import register_tile
from .reorder import axis_stride, strides_of
from .rows_operand import FEWEST, pack_rows, scattered
from .steptext import bytes_of, extent, lanes_of, step
from .structure import fresh
from .whole_copy import copy_whole

AHEAD = 4096
"""Bytes of a panel that are asked for ahead of what is read: the hardware does not look beyond a page."""

SHORT = 1 << 14
"""Bytes of a line of a matrix in memory up to which the next block of lines is asked for ahead: the hardware starts
anew on every page."""

ROWS_KEPT = 8
"""The part of the second cache, as a divisor, that the rows' factors of a block of the reduced axis take."""

SHARERS = 64
"""Tiles of rows of more than which the time of a copy does not matter."""

LINES = 8
"""Lines of a streamed matrix that are read together: fewer than a set of the first cache has ways, for lines that lie a
power of two apart."""


def schedule_contraction(c: Contraction, group: list[StageOp], batch: list[str], machine: Machine) -> list[str]:
    """Batch loops, lane tiles, packed lanes, row tiles around the contraction and the stages that follow it."""
    names = [s.label.data for s in group]
    everywhere, columns, inside = loops_around(c, batch)
    rows, width, ends, packed = register_tile(c, machine, len(group) > 1, pieces=True)
    walked = c.walked
    steps = [step("reorder", [c.label], axes=list(walked))] if walked != c.k else []
    c = replace(c, k=walked)
    skinny = c.transposed and c.few
    whole = [] if skinny else copy_whole(c, [*everywhere, *columns], machine)
    steps += [*whole, *(step("nest", names, axis=a) for a in everywhere)]
    if skinny:
        return [*steps, *along_k(c, names, [*columns, *inside], machine)]
    if streams(c, machine):
        return [*steps, *blocks_of_k(c, names, [*columns, *inside], width, machine)]
    if c.packed and stays(c, machine):
        steps += [step("nest", names, axis=a) for a in inside]
        steps += [*tile(names, c.m, rows, c.stage), *[step("nest", names, axis=a) for a in columns]]
        return [*steps, *tile(names, c.n, width, c.stage), *registers(c, names)]
    tiles = tile(names, c.m, rows, c.stage)
    if scattered(c, rows, width, everywhere, machine):
        even = register_tile(c, machine, len(group) > 1, pieces=True, even=True)
        if even.rows >= FEWEST:
            rows, width, ends, packed = even
            tiles = tile(names, c.m, rows, c.stage)
        copy, over = pack_rows(c, names, rows, everywhere, machine)
        steps += copy
        tiles = [step("nest", names, axis=over)] if over else tiles
    steps += [step("nest", names, axis=a) for a in columns]
    if not whole and keeps_lanes(c, width, machine):
        blocks = fresh([c.stage], c.n)
        steps.append(step("split", names, axis=c.n, size=width))
        steps += pack(c, width, [*everywhere, *columns], machine, [blocks])
        steps += [step("nest", names, axis=a) for a in inside]
        steps += [*tiles, step("nest", names, axis=blocks)]
        return [*steps, *registers(c, names)]
    if packed and not whole and (size := block_of_k(c, names, width, machine)):
        steps.append(step("tile", names, axis=c.k[0], size=size))
    steps += tile(names, c.n, width, c.stage, ends)
    far = 4 * c.rhs_bytes >= machine.l2_bytes
    again = extent(c.stage, c.m) > rows and c.converts(c.rhs)
    wanted = not c.windowed and not c.packed and (again or packed) and not lies_ready(c, width)
    copied = not whole and (c.transposed or wanted)
    if copied:
        first, lanes = made_beside(c, rows), min(width, extent(c.stage, c.n))
        steps += pack(c, lanes, [*everywhere, *columns], machine, first=first)
        if first and 2 * c.rhs_bytes > machine.l2_bytes:
            steps += copied_ahead(c)
    steps += [step("nest", names, axis=a) for a in inside]
    steps += tiles
    steps += [*converted_rows(c, machine), *registers(c, names, far)]
    return steps if copied or whole or c.packed else [*steps, *lines_ahead(c, width, machine)]


def made_beside(c: Contraction, rows: int) -> bool:
    """Does the first tile of rows copy the lanes' operand as it reads it? It is code for one more tile, which pays
    where few tiles share the copy."""
    whole = c.stage.extent(c.m)
    plain = not c.transposed and not c.converts(c.rhs)
    return plain and isinstance(whole, int) and rows < whole <= SHARERS * rows


def bytes_of_line(c: Contraction) -> int:
    """From one line of the lanes' operand to the next, along the innermost reduced axis."""
    return c.stride(c.k[-1]) * bytes_of(element_of(c.stage.ins[c.rhs]))


def copied_ahead(c: Contraction) -> list[str]:
    """Lines of the lanes' operand are asked for before the first tile of rows copies them."""
    copy = f"{PREFIX}{c.rhs_name}"
    return [step("prefetch", [copy], value=c.rhs_name, distance=LINES * bytes_of_line(c))] if len(c.k) == 1 else []


def lies_ready(c: Contraction, width: int) -> bool:
    """Is the lanes' operand one panel as it lies, which a copy would not change?"""
    together = len(c.k) == 1 and c.stride(c.k[0]) == c.stage.extent(c.n) and not c.converts(c.rhs)
    return together and not c.transposed and extent(c.stage, c.n) <= width


def lines_ahead(c: Contraction, width: int, machine: Machine) -> list[str]:
    """A panel that is read as it lies, with strides, and does not stay in the first cache: its lines are asked for."""
    size, line, depth = bytes_of(element_of(c.stage.ins[c.rhs])), bytes_of_line(c), c.stage.extent(c.k[-1])
    if machine.l3_keeps_up or len(c.k) > 1 or not isinstance(depth, int) or not width * size < line <= SHORT:
        return []
    if 2 * depth * width * size <= machine.l1_bytes:
        return []
    return [step("prefetch", [c.label], value=c.rhs_name, distance=LINES * line)]


def loops_around(c: Contraction, batch: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """The axes of loops around a contraction: those of all operands, of the lanes' one, and the others."""
    reads = [axes_of(access) for _, access in c.stage.reads()]
    everywhere = [a for a in batch if all(a in names for names in reads)]
    columns = [a for a in batch if a not in everywhere and a in axes_of(c.access)]
    return everywhere, columns, [a for a in batch if a not in (*everywhere, *columns)]


def converted_rows(c: Contraction, machine: Machine) -> list[str]:
    """Where each element of the rows is converted before it is multiplied: once for the tile, in a copy."""
    value, access = c.stage.reads()[c.lhs]
    inner = c.k[-1]
    if not c.converts(c.lhs) or any(len(names) > 1 for names in c.own_axes(access)):
        return []
    if axis_stride(access, strides_of(value), inner) != 1 or not all(isinstance(c.stage.extent(a), int) for a in c.k):
        return []
    name, lanes = value.name_hint or "", lanes_of([c.stage], machine)
    copy = f"pack_{name}"
    steps = [step("pack", [c.label], value=name, axes=[c.m, *c.k], convert="true")]
    if extent(c.stage, inner) > 4 * lanes:
        steps.append(step("split", [copy], axis=inner, size=4 * lanes))
    return [*steps, step("vectorize", [copy], axes=[inner])]


def registers(c: Contraction, names: Sequence[str], far: bool = False) -> list[str]:
    """The tile as vectors, whose last axis is that of the lanes; those of `far` panels are asked for ahead."""
    order = [a.name for a in c.stage.axes]
    turn = [step("reorder", names, axes=[c.m, c.n])] if order.index(c.n) < order.index(c.m) else []
    # a panel lies in the order in which it is read
    ahead = [step("prefetch", [c.label], value=c.rhs_name, distance=AHEAD)] if c.packed and far else []
    return [*turn, step("vectorize", names, axes=[c.m, c.n]), *ahead]


def keeps_lanes(c: Contraction, width: int, machine: Machine) -> bool:
    """Does all of the lanes' operand stay in the second cache, but not the rows', or not the result? Then rows are read
    once, and written along memory: the loop over tiles of lanes is the inner one."""
    whole = c.stage.extent(c.n)
    if not isinstance(whole, int) or whole % width or whole == width or c.windowed:
        return False
    return stays(c, machine)


def stays(c: Contraction, machine: Machine) -> bool:
    """Does the lanes' operand stay in the second cache while the rows are read, which do not?"""
    return 2 * c.rhs_bytes <= machine.l2_bytes < 2 * max(c.lhs_bytes, bytes_in(c.stage.results[0]))


def block_of_k(c: Contraction, names: Sequence[str], width: int, machine: Machine) -> int:
    """Points of a reduced axis whose factors of the rows stay in the second cache for all panels, beside the result
    that they are added up in; 0: all of them do, or the result does not, or there are no even blocks."""
    result, whole = bytes_in(c.stage.results[0]), c.stage.extent(c.k[0])
    if len(names) > 1 or len(c.k) > 1 or not isinstance(whole, int) or not isinstance(c.stage.extent(c.m), int):
        return 0
    panel = whole * width * bytes_of(element_of(c.stage.ins[c.rhs]))
    small = 4 * panel <= machine.l2_bytes or 2 * (c.lhs_bytes + panel) <= machine.l2_bytes
    if small or 4 * result > machine.l2_bytes:
        return 0
    fewest = -(-c.lhs_bytes // (machine.l2_bytes // ROWS_KEPT))
    return next((whole // n for n in range(fewest, 2 * fewest) if whole % n == 0), 0)


def tile(names: list[str], axis: str, size: int, stage: StageOp, ends: str = "") -> list[str]:
    """A tile step, unless the axis is no longer than a tile."""
    whole = stage.extent(axis)
    options = {"cut": {"clamp": "false"}, "balanced": {"balanced": "true"}}.get(ends, {})
    return [] if isinstance(whole, int) and whole <= size else [step("tile", names, axis=axis, size=size, **options)]


def streams(c: Contraction, machine: Machine) -> bool:
    """Few rows against a large matrix: it is read once, from memory, and should be read along its rows."""
    lines = c.stage.extent(c.k[0])
    long_rows = extent(c.stage, c.n) >= 16 * LINES and isinstance(lines, int) and lines > 4 * LINES
    rows_of_it = not c.transposed and not c.packed and len(c.k) == 1
    return c.few and long_rows and rows_of_it and c.rhs_bytes >= machine.l2_bytes


def blocks_of_k(c: Contraction, names: list[str], batch: list[str], width: int, machine: Machine) -> list[str]:
    """Some lines of the matrix at a time, added up in the result, which stays in the caches."""
    others = [n for n in names if n != c.label]
    steps = [step("nest", names, axis=a) for a in batch]
    steps += [step("tile", [c.label], axis=c.k[0], size=LINES), *tile([c.label], c.n, width, c.stage)]
    steps += registers(c, [c.label])
    line = bytes_of_line(c)
    if line <= SHORT and 4 * c.rhs_bytes >= machine.l3_bytes:
        steps.append(step("prefetch", [c.label], value=c.rhs_name, distance=LINES * line))
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


def pack(
    c: Contraction,
    width: int,
    outer: Sequence[str],
    machine: Machine,
    blocks: Sequence[str] = (),
    convert: bool = True,
    first: bool = False,
) -> list[str]:
    """Copy `width` lanes of their operand in the order in which a tile reads them, inside of loops over `outer`;
    all of it with axes over `blocks` of lanes. `convert`: to a wider type, if that is what is multiplied. `first`: the
    first tile may do it."""
    kept = axes_of(c.access) - set(outer)
    if not all(isinstance(e, int) for n in kept - {c.n, *c.k} if (e := c.stage.extent(n)) is not None):
        return []
    copy = f"{PREFIX}{c.rhs_name}"
    axes = [a for a in c.k if a in kept]
    others = [a.name for a in c.stage.axes if a.name in kept and a.name not in (*axes, c.n)]
    options = {"convert": "true"} if convert and c.converts(c.rhs) else {"first": "true"} if first else {}
    steps = [step("pack", [c.label], value=c.rhs_name, axes=[*others, *blocks, *axes, c.n], **options)]
    inner = next((n for n in c.k if c.stride(n) == 1), "")
    lanes = lanes_of([c.stage], machine)
    if c.transposed and isinstance(e := c.stage.extent(inner), int) and e >= lanes:
        squares = ((inner, extent(c.stage, inner)), (c.n, width))
        # Squares of lanes by lanes are turned in registers.
        turned = [step("split", [copy], axis=a, size=lanes) for a, e in squares if e > lanes]
        return [*steps, *turned, step("vectorize", [copy], axes=[inner, c.n])]
    wide = [step("split", [copy], axis=c.n, size=4 * lanes)] if width > 8 * lanes else []
    return [*steps, *wide, step("vectorize", [copy], axes=[c.n])]
