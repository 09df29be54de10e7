"""GPU mapping of loops that carry values (cumulative reductions, recurrences): a line to a thread.

    loop-tile{axis=i size=64 kind=block only=init,sum},loop-tile{axis=i size=1 kind=thread only=init,sum}

The axes of the lines become loops around the whole, of blocks and of threads; what is carried stays in the thread's
registers. Few long lines whose values are combined associatively are left to the lowering, which scans them
(lowering/launch_scan.py).
"""

from __future__ import annotations

from math import prod

from ....dialects.loop.attributes import Axis
from ....dialects.loop.ops import ForOp, StageOp
from ....dialects.loop.queries import stages
from ....lowering.launch_scan import scan_of
from .grid_rows import each
from .reorder import axis_stride, strides_of
from .steptext import step

THREADS = 64
"""Of a block: few, so that there are blocks for many multiprocessors."""


MOST_LINES, LEAST = 4096, 128
"""Lines of a scan, at most, and iterations from which on it is done as one."""


def few(loop: ForOp, axes: list[Axis]) -> bool:
    """Are the lines few and long, and is what they carry combined so that it may be scanned?"""
    lines = prod(a.extent if isinstance(a.extent, int) else MOST_LINES + 1 for a in axes)
    long = not isinstance(loop.extent.data, int) or loop.extent.data >= LEAST
    return lines <= MOST_LINES and long and scan_of(loop) is not None


def carries(loop: ForOp) -> list[str]:
    """Steps for a loop and the stages that begin it; none if it has no lines."""
    found = stages(loop)
    inits = [v.owner for v in loop.inits if isinstance(v.owner, StageOp)]
    if len(inits) != len(loop.inits) or not found:
        return []
    names = [s.label.data for s in (*inits, *found)]
    axes = [a for a in found[0].axes if a.extent != 1 and all(s.extent(a.name) == a.extent for s in found)]
    if not axes or few(loop, axes):
        return []
    reads = [(p, strides_of(v)) for s in found for v, p in s.reads() if v not in loop.body.block.args]
    lane = next((a for a in axes if any(axis_stride(p, s, a.name) == 1 for p, s in reads)), axes[-1])
    whole = lane.extent if isinstance(lane.extent, int) else None
    steps = each(names, (a.name for a in axes if a is not lane))
    if whole is None or whole > THREADS:
        steps.insert(0, step("tile", names, axis=lane.name, size=THREADS, kind="block"))
    return [*steps, step("tile", names, axis=lane.name, size=1, kind="thread")]
