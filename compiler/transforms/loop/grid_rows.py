"""GPU mappings of everything that is no contraction: elementwise, reductions along rows and columns, single points.

elements   every axis is spread over the results: blocks of neighbours, 16 bytes to a thread
rows       reduced along memory: a row to a warp or to a block, held in registers
columns    reduced across memory: a warp walks along each of several lines, the lines' sums meet in the block
points     a thread computes a point of the results by itself
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from ....dialects.loop.ops import StageOp, element_of
from ...machine import Machine
from .reorder import axis_stride
from .rows import lane_axis, parallel_axes, places
from .steptext import bytes_of, extent, step

THREADS = 256
"""Of a block."""

APART = 128
"""Of a block whose threads have nothing to do with each other: multiprocessors run out of small blocks more evenly."""

WARP = 32
MOST_ROUNDS = 16
"""Vectors of a row that a thread holds at a time."""

BLOCKS = ((128, 16), (256, 32), (512, 64))
"""Threads of a block for a row, and most elements that each of them holds."""

ROW_LANES = 4
"""Most neighbours that a thread of a row moves at once."""

WARP_ROW = 8
"""Vectors of a row for each lane, up to which a warp has the row for itself."""


def lanes(group: list[StageOp], axis: str, machine: Machine) -> int:
    """Neighbours along an axis that a thread moves at once: vectors of the narrowest of the large values, where they
    are neighbours in memory and the axis is a whole number of them."""
    whole = known(group, axis)
    widths = [bytes_of(element_of(v)) for s in group for v in (*s.ins, *s.results)]
    moved = [axis_stride(access, strides, axis) for s in group for access, strides in places(s)]
    if 1 not in moved or whole is None:
        return 1
    n = machine.vector_bytes // max(min(widths), 2)
    while n > 1 and whole % n:
        n //= 2
    return n


def divisor(number: int, most: int) -> int:
    """The largest divisor up to a number; 1 of 0."""
    return next((d for d in range(min(number, most), 0, -1) if number % d == 0), 1)


def bits(number: int) -> int:
    """Threads that a field of so many points takes."""
    return 1 << max(number - 1, 0).bit_length()


def reduced_axes(group: list[StageOp]) -> list[str]:
    """Axes that some result is not spread over."""
    every = dict.fromkeys(a.name for s in group for a in s.axes)
    shared = parallel_axes(group)
    return [a for a in every if a not in shared]


def known(group: list[StageOp], axis: str) -> int | None:
    found = next((e for s in group if (e := s.extent(axis)) is not None), None)
    return found if isinstance(found, int) else None


def names(group: list[StageOp]) -> list[str]:
    return [s.label.data for s in group]


def each(only: Sequence[str], axes: Iterable[str]) -> list[str]:
    """A block for each point of the axes."""
    return [step("tile", only, axis=a, size=1, kind="block") for a in axes]


def elements(group: list[StageOp], machine: Machine) -> list[str]:
    """Blocks of neighbours along the lane axis; of short axes, several lines to a block."""
    shared = parallel_axes(group)
    if not shared or any({a.name for a in s.axes} != set(shared) for s in group):
        return []
    only, lane = names(group), lane_axis(group, group[0], machine)
    width, whole = lanes(group, lane, machine), known(group, lane)
    steps: list[str] = []
    if whole is not None and whole <= APART * width:
        threads = whole // width
        lines = max(1, APART // bits(threads))
    else:
        threads, lines = APART, 1
    others = [a for a in shared if a != lane]
    for a in others:
        last = a == others[-1]
        size = min(lines, extent(group[0], a)) if last else 1
        steps.append(step("tile", only, axis=a, size=size, kind="block"))
        if size > 1:
            steps.append(step("distribute", only, axis=a, threads=size))
    if whole is None or whole > threads * width:
        tile = step("tile", only, axis=lane, size=threads * width, kind="block")
        # versions for a run-time extent stand around all blocks
        steps = [tile, *steps] if whole is None else [*steps, tile]
    return [*steps, step("distribute", only, axis=lane, threads=threads, lanes=width)]


def rows(group: list[StageOp], machine: Machine) -> list[str]:
    """A row of everything that is reduced along memory, in registers of a warp or a block."""
    shared, reduced = parallel_axes(group), reduced_axes(group)
    if len(reduced) != 1:
        return []
    (axis,), only = reduced, names(group)
    whole = known(group, axis)
    if not whole or not any(axis_stride(a, s, axis) == 1 for stage in group for a, s in places(stage)):
        return []
    width = min(lanes(group, axis, machine), ROW_LANES)
    vectors = whole // width
    outer = each(only, shared[:-1])
    threads = divisor(vectors, WARP)
    if shared and vectors <= threads * WARP_ROW:
        size = min(APART // WARP, extent(group[0], shared[-1]))
        own = [step("tile", only, axis=shared[-1], size=size, kind="block")]
        own += [step("distribute", only, axis=shared[-1], threads=size, kind="warp")] if size > 1 else []
        return [*outer, *own, step("distribute", only, axis=axis, threads=threads, lanes=width, kind="lane")]
    threads = next((d for n, most in BLOCKS if whole // (d := divisor(vectors, n)) <= most), 0)
    threads = threads or divisor(vectors, machine.threads)
    if threads < WARP and vectors > WARP * MOST_ROUNDS:
        return []
    rounds = "vec" if vectors // threads <= MOST_ROUNDS else "loop"
    own = each(only, shared[-1:])
    return [*outer, *own, step("distribute", only, axis=axis, threads=threads, lanes=width, rounds=rounds)]


def columns(group: list[StageOp], machine: Machine) -> list[str]:
    """Sums across memory: lanes along a shared axis, warps over the lines that are added."""
    shared, reduced = parallel_axes(group), reduced_axes(group)
    if len(group) != 1 or not shared or not reduced:
        return []
    (stage,), only = group, names(group)
    lane, axis = lane_axis(group, stage, machine), max(reduced, key=lambda a: extent(stage, a))
    whole, lines = known(group, lane), known(group, axis)
    if lane not in shared or whole is None or lines is None or not all(t.data.mode for t in stage.targets.data):
        return []
    width = lanes(group, lane, machine)
    others = prod(extent(stage, a) for a in shared if a != lane)
    while width > 1 and whole * others // (WARP * width) < 2 * machine.cores:
        width //= 2
    tile = min(WARP * width, whole - whole % width)
    warps = divisor(lines, WARP)
    steps = each(only, (a for a in shared if a != lane))
    steps += [step("tile", only, axis=lane, size=tile, kind="block")] if whole > tile else []
    steps.append(step("distribute", only, axis=axis, threads=warps, kind="warp", rounds="loop"))
    return [*steps, step("distribute", only, axis=lane, threads=tile // width, lanes=width, kind="lane")]


def points(group: list[StageOp], machine: Machine) -> list[str]:
    """A thread for each point that the results are spread over; everything else is a loop of the thread."""
    shared = parallel_axes(group)
    if len(group) != 1 or not shared:
        return []
    (stage,), only = group, names(group)
    lane = next((a for a in reversed(shared) if any(axis_stride(p, s, a) == 1 for p, s in places(stage))), shared[-1])
    whole = known(group, lane)
    size = APART if whole is None else min(APART, whole)
    steps = each(only, (a for a in shared if a != lane))
    if whole is None or whole > size:
        steps.insert(0, step("tile", only, axis=lane, size=size, kind="block"))
    return [*steps, step("distribute", only, axis=lane, threads=size)]


__all__ = ["columns", "elements", "points", "rows"]
