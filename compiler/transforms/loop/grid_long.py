"""GPU mappings of reductions that `rows` and `columns` do not share out: of any length, and of few long lines.

exact      elements that are written once, by blocks that do not overlap
sweep      a block goes along a line together, whatever its length is
partial    fewer lines than multiprocessors: parts of a line to blocks, what they give combined by one block for a line
"""

from __future__ import annotations

from math import prod

from ....dialects.loop.linear import axes_of
from ....dialects.loop.ops import StageOp, element_of
from ...machine import Machine
from .grid_rows import THREADS, WARP, divisor, each, known, lanes, names, reduced_axes
from .reorder import axis_stride
from .rows import lane_axis, parallel_axes, places
from .steptext import bytes_of, element_bytes, extent, step

HELD_BYTES = 48 << 10
"""Memory of a block for what its stages hand on."""

LONG_BYTES = 128 << 10
"""What a block reads in the time of two launches."""

WAVES = 2
"""Parts for each multiprocessor."""

PART = 1024
"""Points of a part, at least."""


def handed_on(group: list[StageOp], axis: str) -> int | None:
    """Bytes of a line that stages of the group hand on; None if that is not known."""
    total = 0
    for stage in group:
        for k, result in enumerate(stage.results):
            access = axes_of(stage.target(k).access)
            if axis in access and any(u.operation in group for u in result.uses):
                length = known(group, axis)
                if length is None:
                    return None
                total += length * bytes_of(element_of(result))
    return total


def splits_sums(stage: StageOp, axis: str) -> bool:
    """Are some of the stage's sums spread over the axis, and others not?"""
    return len({axis in axes_of(t.data.access) for t in stage.targets.data if t.data.mode}) > 1


def sweeps(group: list[StageOp], machine: Machine) -> list[str]:
    """A block for each point of the shared axes goes along what is reduced, as many neighbours at once as there are
    threads."""
    shared, reduced, only = parallel_axes(group), reduced_axes(group), names(group)
    axis = swept_axis(group, reduced)
    if not axis or any(splits_sums(s, axis) for s in group):
        return []
    held = handed_on(group, axis)
    if held is None or held > HELD_BYTES:
        return []
    if len(reduced) > 1 and len(group) > 1:
        return []
    width = lanes(group, axis, machine) if known(group, axis) is not None else 1
    steps = each(only, shared)
    return [*steps, step("distribute", only, axis=axis, lanes=width, kind="sweep")]


def exact(group: list[StageOp], machine: Machine) -> list[str]:
    """Elements where blocks may not overlap, since results overwrite what they are made of: blocks that divide the
    lane axis, or a block for each line that goes along it."""
    shared, only = parallel_axes(group), names(group)
    if not shared or any({a.name for a in s.axes} != set(shared) for s in group):
        return []
    lane = lane_axis(group, group[0], machine)
    width, whole = lanes(group, lane, machine), known(group, lane)
    steps = each(only, (a for a in shared if a != lane))
    threads = divisor(whole // width, THREADS) if whole else 0
    if threads < WARP:
        return [*steps, step("distribute", only, axis=lane, lanes=width if whole else 1, kind="sweep")]
    steps.append(step("tile", only, axis=lane, size=threads * width, kind="block"))
    return [*steps, step("distribute", only, axis=lane, threads=threads, lanes=width)]


def swept_axis(group: list[StageOp], reduced: list[str]) -> str:
    """The reduced axis that runs along memory; without lines beside each other, any that is long."""
    along = [a for a in reduced if any(axis_stride(p, s, a) == 1 for stage in group for p, s in places(stage))]
    if along or parallel_axes(group):
        return along[-1] if along else ""
    return max(reduced, key=lambda a: max(extent(s, a) for s in group if s.extent(a) is not None), default="")


def long(group: list[StageOp], machine: Machine) -> bool:
    """Has the part few lines, each of which is worth several blocks?"""
    shared, reduced = parallel_axes(group), reduced_axes(group)
    if not reduced or any(known(group, a) is None for a in shared):
        return False
    blocks, total = blocks_of(group, machine), 0
    for stage in group:
        points = prod(extent(stage, a.name) for a in stage.axes)
        total = max(total, points * element_bytes([stage]))
    return WAVES * blocks <= machine.cores and total // blocks >= LONG_BYTES


def blocks_of(group: list[StageOp], machine: Machine) -> int:
    """Blocks of a part that is mapped as lines: of neighbouring columns, a warp's vectors."""
    shared = parallel_axes(group)
    blocks = prod(known(group, a) or 1 for a in shared)
    stage = max(group, key=lambda s: len(s.axes))
    lane = lane_axis(group, stage, machine)
    if lane in shared:
        blocks = -(-blocks // min(known(group, lane) or 1, WARP * lanes(group, lane, machine)))
    return max(blocks, 1)


def parts(stage: StageOp, machine: Machine) -> list[str]:
    """The step that makes parts of the axis of a stage that is reduced; none if it is short or has no reduction."""
    group = [stage]
    sums = [t.data for t in stage.targets.data if t.data.mode]
    reduced = [a for a in reduced_axes(group) if not any(a in axes_of(t.access) for t in sums)]
    if not sums or not reduced:
        return []
    wanted = -(-WAVES * machine.cores // blocks_of(group, machine))
    axis = max(reduced[:-1] or reduced, key=lambda a: extent(stage, a))
    if extent(stage, axis) < extent(stage, reduced[-1]) and extent(stage, axis) < wanted // 2:
        axis = reduced[-1]
    whole = known(group, axis)
    if whole is None or whole < 2:
        return []
    inner = prod(extent(stage, a) for a in reduced if a != axis)
    least = max(1, PART // inner)
    most = max(1, whole // least)
    wanted = min(wanted, most)
    even = [p for p in range(wanted, min(2 * wanted, most) + 1) if whole % p == 0]
    even += [p for p in range(wanted, wanted // 2, -1) if whole % p == 0]
    width = machine.vector_bytes // max(min(bytes_of(element_of(v)) for v in (*stage.ins, *stage.results)), 2)
    if even:
        count = max(even, key=lambda p: fit(whole // p, width))
        return [step("partial", names(group), axis=axis, parts=count)] if count > 1 else []
    multiple = width if whole // wanted >= width * WARP else 1
    return [step("partial", names(group), axis=axis, parts=wanted, multiple=multiple)] if wanted > 1 else []


def fit(points: int, width: int) -> int:
    """How well a block shares out points: by vectors of all threads, of a warp, or of one."""
    return next((n for n in (THREADS * width, WARP * width, width) if points % n == 0), 0)


__all__ = ["exact", "long", "parts", "sweeps"]
