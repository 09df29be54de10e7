"""Schedules for everything that is no contraction: elementwise, row and column reductions, transposes, small ranks.

The lane axis is the one along which most elements lie contiguous in memory. Axes that all stages share and none reduces
become loops around all of them, so that what passes between the stages stays in registers or close caches.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, prod

from xdsl.ir import BlockArgument

from ....dialects.loop.linear import Access, axes_of
from ....dialects.loop.ops import JoinOp, StageOp, element_of, shape
from ...machine import Machine
from .reorder import axis_stride, row_major, strides_of
from .steptext import TYPICAL, bytes_of, element_bytes, extent, lanes_of, step

VECTORS = 4
"""Vectors of lanes worked on at once: enough to hide the latency of a chain of operations."""

ROWS = 4
"""Rows worked on at once where they share what they read, are each shorter than a vector or two, or are reduced."""

LINES = (16, 8)
"""Most and fewest lines of a matrix that are added up at a time where the lines are kept apart."""

WAYS, FEW = (2, 3, 4, 8), 8
"""Lines that are woven into one, and most elements of an axis all of whose vectors are held at a time."""

LINE, PAGE, WAY = 64, 1 << 12, 1 << 16
"""Bytes that caches move at once, and of one way of the first and the second: what lies so far apart shares a place."""

SCATTERED = 3
"""Scattered elements that are read in the time of one vector."""


def parallel_axes(group: list[StageOp]) -> list[str]:
    """Axes that every stage has and every result is spread over, in order."""

    def common(axis: str) -> bool:
        return all(axis in axes_of(t.data.access) for s in group for t in s.targets.data)

    return [a.name for a in group[0].axes if common(a.name)]


def places(stage: StageOp) -> list[tuple[Access, Sequence[int]]]:
    """Accesses of reads and results with the strides of what they access; of a piece, those of what it is joined to."""
    reads = [(access, strides_of(value)) for value, access in stage.reads()]
    wholes = [next((u.operation.res for u in r.uses if isinstance(u.operation, JoinOp)), r) for r in stage.results]
    return reads + [(t.data.access, row_major(shape(r))) for t, r in zip(stage.targets.data, wholes)]


def contiguous(stage: StageOp, axis: str) -> bool:
    """Does some access walk along memory with the axis?"""
    return any(axis_stride(access, strides, axis) == 1 for access, strides in places(stage))


def lane_axis(group: list[StageOp], widest: StageOp, machine: Machine) -> str:
    """The axis that moves all elements in the fewest steps: contiguous ones by vectors, others nearly singly."""
    lanes = lanes_of(group, machine)

    def steps(axis: str) -> float:
        total = 0.0
        for stage in group:
            used = min(extent(stage, axis), lanes) if stage.extent(axis) is not None else 1
            for access, strides in places(stage):
                volume = prod(extent(stage, n) for n in axes_of(access) if stage.extent(n) is not None)
                total += volume / max(used if axis_stride(access, strides, axis) <= 1 else min(used, SCATTERED), 1)
        return total

    return min((a.name for a in reversed(widest.axes)), key=steps)


def transposing(group: list[StageOp], shared: list[str]) -> list[str]:
    """Two or more axes along which different accesses of a lone stage are contiguous: all of them carry lanes."""
    if len(group) != 1:
        return []
    (stage,) = group
    across = [a.name for a in stage.axes if extent(stage, a.name) > 1 and contiguous(stage, a.name)]
    moved = [n for n in across if sum(n in axes_of(access) for access, _ in places(stage)) > 1]
    return moved if len(moved) > 1 and set(moved) <= set(shared) else []


def alternating(group: list[StageOp], shared: list[str]) -> list[str]:
    """Axes of a lone stage that no read has, in which the result takes turns, and the line that it does so along.

    The last one has a few elements, next to each other; the lines are contiguous where they are read. Their vectors
    are woven into one in registers.
    """
    if len(group) != 1 or len(group[0].results) != 1 or len(shared) < 2 or len(shared) != len(group[0].axes):
        return []
    (stage,) = group
    order = [form.terms[0][0] for form in stage.target(0).access if len(form.terms) == 1]
    reads = [axes_of(access) for _, access in stage.reads()]
    new = [a for a in order if not any(a in names for names in reads) and 1 < extent(stage, a) <= FEW]
    if len(order) < 2 or order[-1] not in new or order[-2] in new or extent(stage, order[-1]) not in WAYS:
        return []
    lane = order[-2]
    along = any(axis_stride(access, strides_of(value), lane) == 1 for value, access in stage.reads())
    return [*new, lane] if along and prod(extent(stage, a) for a in new) <= FEW * FEW else []


def schedule_rows(group: list[StageOp], machine: Machine) -> list[str]:
    """Steps for neighbouring stages that share loops."""
    if any(a.kind for s in group for a in s.axes) or not any(s.axes for s in group):
        return []
    names = [s.label.data for s in group]
    lanes = lanes_of(group, machine)
    widest = max(group, key=lambda s: len(s.axes))
    shared = parallel_axes(group)
    if turns := alternating(group, shared):
        lane = turns[-1]
        nests = [step("nest", names, axis=a) for a in shared if a not in turns]
        wide = 2 * lanes if long(widest, lane, lanes) else lanes
        tiles = [step("tile", names, axis=lane, size=wide)] if long(widest, lane, wide) else []
        return [*nests, *tiles, step("reorder", names, axes=turns), step("vectorize", names, axes=turns)]
    if across := transposing(group, shared):
        nests = [step("nest", names, axis=a) for a in shared if a not in across]
        tiles = [step("tile", names, axis=a, size=lanes) for a in across if long(widest, a, lanes)]
        return [*nests, *tiles, step("vectorize", names, axes=across)]
    steps = reorders(group)
    lane = lane_axis(group, widest, machine)
    rows = [a for a in shared if a != lane]
    if lane not in shared:
        return [*steps, *reducing(group, widest, rows, lane, machine)]
    width = width_along(group, lane, machine)
    short = bool(rows) and not long(widest, lane, 2 * lanes)
    for a in rows:
        size = ROWS if short and a == rows[-1] else 1
        if long(widest, a, size):
            steps.append(step("tile", names, axis=a, size=size))
    if lines := few_lines(group, lane, width, machine):
        return [*steps, *lines, step("vectorize", names, axes=[lane])]
    steps += by_lines(group, lane, width, machine)
    wide = 2 * width if columns(group) and not long(widest, lane, 2 * width) else width
    steps += [step("tile", names, axis=lane, size=width)] if long(widest, lane, wide) else []
    return [*steps, step("vectorize", names, axes=[rows[-1], lane] if short else [lane])]


def walking(group: list[StageOp], lane: str) -> list[StageOp]:
    """The stages that go along the lanes."""
    return [s for s in group if s.extent(lane) is not None]


def width_along(group: list[StageOp], lane: str, machine: Machine) -> int:
    """Elements of a line worked on at once; one by one, several vectors are only longer code."""
    lanes = lanes_of(walking(group, lane), machine)
    return VECTORS * lanes if any(contiguous(s, lane) for s in group) else lanes


def reducing(group: list[StageOp], widest: StageOp, rows: list[str], lane: str, machine: Machine) -> list[str]:
    """Steps for lines along which something is reduced."""
    names = [s.label.data for s in group]
    lanes, width = lanes_of(walking(group, lane), machine), width_along(group, lane, machine)
    several, block = beside(group, widest, rows, lane, machine)
    lines = together(group, widest, rows, lane, several, machine)
    if lines:
        block = max(block, width)
    steps: list[str] = []
    for a in rows:
        size = (lines or several) if a == rows[-1] else 1
        if long(widest, a, size):
            steps.append(step("tile", names, axis=a, size=size))
    if lines > several:
        steps += [step("tile", [s.label.data], axis=rows[-1], size=several) for s in walking(group, lane)]
    # A line of two blocks or less is one vector: no loop, and no rest to combine.
    if long(widest, lane, 2 * block if several == 1 else block):
        wide = several == 1 and width > lanes and extent(widest, lane) % (2 * block) == 0 and folds(group, lane)
        steps.append(step("split", names, axis=lane, size=2 * block if wide else block))
    return [*steps, step("vectorize", names, axes=[rows[-1], lane] if several > 1 else [lane])]


def beside(group: list[StageOp], widest: StageOp, rows: list[str], lane: str, machine: Machine) -> tuple[int, int]:
    """How many lines are reduced at the same time, and how many elements of each at a time.

    Sums of several lines wait for each other less, and end together in one vector. Short lines fill half of the
    registers; longer ones, which are read again after they are reduced, half of the first cache.
    """
    lanes, width = lanes_of(walking(group, lane), machine), width_along(group, lane, machine)
    if not rows or width == lanes:
        return 1, width
    if shares_rows(group, rows, lane):
        return ROWS, lanes
    length = widest.extent(lane)
    if not isinstance(length, int) or not isinstance(widest.extent(rows[-1]), int):
        return 1, width
    if length <= width:
        most = min(machine.registers // 2 // -(-length // lanes), lanes)
        return 1 << max(most, 1).bit_length() - 1, width
    fitting = machine.l1_bytes // 2 // (length * element_bytes(walking(group, lane)))
    part = width if folds(group, lane) else width // 2
    return (min(1 << fitting.bit_length() - 1, ROWS), part) if fitting > 1 else (1, width)


def together(group: list[StageOp], widest: StageOp, rows: list[str], lane: str, several: int, machine: Machine) -> int:
    """How many lines go through all stages together, `several` of them at a time in each; 0: those do.

    A stage waits for the end of the one before it, which takes long where lines are short; while one stage goes over
    many lines, each of them waits for itself alone. What there is one of for each line fills vectors, and the lines
    half of the first cache.
    """
    lanes = lanes_of(walking(group, lane), machine)
    count = widest.extent(rows[-1]) if rows else None
    lengths = [a.extent for a in widest.axes if a.name not in rows]
    if len(group) == 1 or several == 1 or not all(isinstance(n, int) for n in (count, *lengths)):
        return 0
    assert isinstance(count, int)
    line = prod(extent(widest, a.name) for a in widest.axes if a.name not in rows)
    fitting = machine.l1_bytes // 2 // (line * element_bytes(walking(group, lane)))
    most = min(1 << max(fitting, 1).bit_length() - 1, VECTORS * lanes)
    if most < lanes or count <= several:
        return 0
    blocks = -(-count // most)
    return -(-count // (blocks * several)) * several


def asked_ahead(group: list[StageOp], machine: Machine) -> list[str]:
    """For lines that come from memory and are read again after they are reduced: while they are read for the last time,
    those are asked for that come next."""
    shared, widest = parallel_axes(group), max(group, key=lambda s: len(s.axes))
    lane = lane_axis(group, widest, machine)
    rows = [a for a in shared if a != lane]
    if lane in shared or not rows or not any(contiguous(s, lane) for s in group):
        return []
    several, _ = beside(group, widest, rows, lane, machine)
    several = together(group, widest, rows, lane, several, machine) or several
    steps: list[str] = []
    for value in dict.fromkeys(v for s in group for v in s.ins if isinstance(v, BlockArgument)):
        readers = [s for s in group if value in s.ins]
        access = next(access for v, access in readers[-1].reads() if v is value)
        line = axis_stride(access, strides_of(value), rows[-1]) * bytes_of(element_of(value))
        if len(readers) > 1 and value.name_hint and line and axis_stride(access, strides_of(value), lane) == 1:
            last = [readers[-1].label.data]
            steps.append(step("prefetch", last, value=value.name_hint, distance=several * line))
    return steps


def by_lines(group: list[StageOp], lane: str, width: int, machine: Machine) -> list[str]:
    """Some lines at a time, for a lone reduction of long lines to one: memory is read along them, sums stay near."""
    stage = group[0]
    reduced = reduced_axes(stage)
    if (
        len(group) > 1
        or not reduced
        or not all(t.data.mode for t in stage.targets.data)
        or not long(stage, lane, width)
    ):
        return []
    most, fewest = LINES
    line = extent(stage, lane) * element_bytes(group)
    if pitch(stage, reduced[-1]) % PAGE == 0:  # they share a place in each way of the first cache
        most = min(most, max(machine.l1_bytes // PAGE - 1, fewest))
    lines = extent(stage, reduced[-1])
    if not long(stage, reduced[-1], most) or line * lines <= machine.l1_bytes or line > machine.l2_bytes // 2:
        return []
    size = next((n for n in range(most, fewest - 1, -1) if lines % n == 0), 0)
    if not size and long(stage, reduced[-1], most * fewest):
        size = fewest
    return [step("tile", [stage.label.data], axis=reduced[-1], size=size)] if size else []


def reduced_axes(stage: StageOp) -> list[str]:
    """Axes over which no result is spread."""
    return [a.name for a in stage.axes if all(a.name not in axes_of(t.data.access) for t in stage.targets.data)]


def pitch(stage: StageOp, axis: str) -> int:
    """Bytes between what is read at neighbouring points of an axis, at most."""
    reads = ((abs(axis_stride(access, strides_of(value), axis)), value) for value, access in stage.reads())
    return max((stride * bytes_of(element_of(value)) for stride, value in reads), default=0)


def columns(group: list[StageOp]) -> bool:
    """Do several stages reduce lines that lie apart, and nothing but that?"""
    reducing = [s for s in group if reduced_axes(s)]
    return len(reducing) > 1 and all(t.data.mode for s in reducing for t in s.targets.data)


def few_lines(group: list[StageOp], lane: str, width: int, machine: Machine) -> list[str]:
    """Each stage alone, over a few lines at a time along memory, where a block of columns is gone from the second cache
    when the next stage reads it: it is too large, or its lines lie a power of two apart and share their places."""
    first = next((s for s in group if reduced_axes(s)), None)
    if first is None or not columns(group):
        return []
    axis = reduced_axes(first)[-1]
    count, length = first.extent(axis), first.extent(lane)
    if not isinstance(count, int) or not isinstance(length, int) or length <= 2 * width or count <= ROWS:
        return []
    size = element_bytes(group)
    shared = min(1.0, width * size / max(gcd(pitch(first, axis), WAY), LINE))
    if width * size * count <= shared * machine.l2_bytes / 2 or length * size > machine.l2_bytes // 2:
        return []
    steps: list[str] = []
    for stage in group:
        if axis in reduced_axes(stage):
            steps.append(step("tile", [stage.label.data], axis=axis, size=ROWS))
        steps.append(step("tile", [stage.label.data], axis=lane, size=width))
    return steps


def folds(group: list[StageOp], lane: str) -> bool:
    """Do the stages only reduce along the axis? Then registers are free for more of it at once."""
    return not any(lane in axes_of(t.data.access) for s in group for t in s.targets.data)


def long(stage: StageOp, axis: str, size: int) -> bool:
    whole = stage.extent(axis)
    return not isinstance(whole, int) or whole > size


def shares_rows(group: list[StageOp], rows: list[str], lane: str) -> bool:
    """A lone reduction along lanes whose rows all read one more operand (a matrix times a vector)."""
    if len(group) != 1 or not rows:
        return False
    reads = [axes_of(access) for _, access in group[0].reads()]
    common = [names for names in reads if lane in names and rows[-1] not in names]
    return bool(common) and any(rows[-1] in names for names in reads) and extent(group[0], rows[-1]) >= ROWS


def reorders(group: list[StageOp]) -> list[str]:
    """Row order for lone stages that are written against their strides."""
    steps: list[str] = []
    for stage in group:
        moved = {
            a.name: sum(axis_stride(access, strides, a.name) for access, strides in places(stage)) for a in stage.axes
        }
        ordered = sorted((a.name for a in stage.axes), key=lambda n: -moved[n])
        if ordered != [a.name for a in stage.axes]:
            steps.append(step("reorder", [stage.label.data], axes=ordered))
    return steps


__all__ = ["TYPICAL", "contiguous", "lane_axis", "parallel_axes", "schedule_rows"]
