"""GPU mapping of transposes: tiles through memory of the block, read along one axis and written along another.

loop-tile{axis=i size=64 kind=block},loop-tile{axis=j size=64 kind=block},
loop-pack{value=x axes=i,j},                                     rows of x, as they lie
loop-distribute{axis=i threads=16 only=pack_x},loop-distribute{axis=j threads=16 lanes=4 only=pack_x},
loop-reorder{axes=j,i},loop-distribute{axis=j threads=8},loop-distribute{axis=i threads=32}      their columns
"""

from __future__ import annotations

from collections.abc import Sequence

from ....dialects.loop.linear import Access, axes_of
from ....dialects.loop.ops import StageOp, element_of, shape
from ...machine import Machine
from .grid_rows import THREADS, WARP, divisor, each, known
from .pack import PREFIX
from .reorder import axis_stride, row_major, strides_of
from .rows import parallel_axes
from .steptext import bytes_of, step

SIDE = 64
"""Of a tile."""


def turned(group: list[StageOp], machine: Machine) -> list[str]:
    """A lone elementwise stage that reads along another axis than it writes."""
    if len(group) != 1 or len(group[0].results) != 1:
        return []
    (stage,) = group
    shared = parallel_axes(group)
    written = along(stage, stage.target(0).access, row_major(shape(stage.results[0])))
    if {a.name for a in stage.axes} != set(shared) or written is None:
        return []
    reads = [(v, along(stage, a, strides_of(v)), axes_of(a)) for v, a in stage.reads()]
    across = [(v, axis) for v, axis, used in reads if axis not in (None, written) and written in used]
    if not across or len({axis for _, axis in across}) > 1:
        return []
    axis = across[0][1]
    assert axis is not None
    sizes = {a: known(group, a) for a in (axis, written)}
    if any(n is None or n < WARP for n in sizes.values()):
        return []
    tile = {a: min(SIDE, n) for a, n in sizes.items() if n is not None}
    only = [stage.label.data]
    steps = each(only, (a for a in shared if a not in tile))
    steps += [step("tile", only, axis=a, size=tile[a], kind="block") for a in shared if a in tile]
    for value in dict.fromkeys(v for v, _ in across):
        label, width = f"{PREFIX}{value.name_hint}", machine.vector_bytes // bytes_of(element_of(value))
        while tile[axis] % width or sizes[axis] % width:  # pyright: ignore[reportOptionalOperand]
            width //= 2
        near = tile[axis] // width
        steps.append(step("pack", only, value=value.name_hint or "", axes=[written, axis]))
        steps.append(step("distribute", [label], axis=written, threads=divisor(tile[written], THREADS // near)))
        steps.append(step("distribute", [label], axis=axis, threads=near, lanes=width))
    steps.append(step("reorder", only, axes=[axis, written]))
    threads = divisor(tile[written], WARP)
    steps.append(step("distribute", only, axis=axis, threads=divisor(tile[axis], THREADS // WARP)))
    return [*steps, step("distribute", only, axis=written, threads=threads)]


def along(stage: StageOp, access: Access, strides: Sequence[int]) -> str | None:
    """The axis that walks along memory."""
    return next((a.name for a in stage.axes if axis_stride(access, strides, a.name) == 1), None)
