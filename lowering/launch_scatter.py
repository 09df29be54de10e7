"""loop.scatter as one launch: a thread for what no other thread writes, in order over everything else.

    %r = loop.scatter add s [i: 500, j: 96] (%u = %U[i, j], %k = %K[i]) into %x { .. loop.yield %u, %k, %j, %ok }
becomes
    copy %x to %r, where they are not the same memory
    launch of 96 threads: j
      scf.for %i ..
        scf.if %ok { %r[%k, %j] += %u }

Two points that differ in an axis which is alone in a coordinate of the place, but for what is the same for all points,
have different places. The axes that are left are walked in their order, so that the result is always the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dialects.loop.attributes import Axis
from ..dialects.loop.ops import ScatterOp
from ..dialects.nd.dims import size
from .loop_body import BodyValues
from .loop_scatter import guarded, written
from .loop_state import nest
from .loop_threads import BELOW

if TYPE_CHECKING:
    from .loop_control import Kernel

BITS = 7
"""Threads of a block."""


def launch_scatter(kernel: Kernel, op: ScatterOp) -> None:
    view = kernel.views[op.res]
    kernel.base(op)
    if any(a.extent == 0 for a in op.axes):
        return
    apart = free_axes(kernel, op)
    total, width = size(a.extent for a in apart), 1 << BITS
    kernel.location = op.location
    grid = kernel.dim((total + (width - 1)) // width)
    with kernel.launching(grid, BITS) as launch:
        launch.alone = True
        number = kernel.in_grid(launch)
        others = [(a.name, a.extent) for a in op.axes if a not in apart]

        def one() -> None:
            kernel.unravel(number, [(a.name, a.extent) for a in apart])
            nest(kernel, others, [], lambda _: guarded(kernel, op, lambda values: written(values, view)))

        whole = isinstance(total, int) and total % width == 0
        kernel.guarded([] if whole else [kernel.compared(BELOW, number, kernel.dim(total))], one)
        kernel.location = op.location


def free_axes(kernel: Kernel, op: ScatterOp) -> list[Axis]:
    """The axes whose points have different places, whatever the others' are."""
    values = BodyValues(kernel, op, [(a.name, 2) for a in op.axes])
    found: set[str] = set()
    for position in op.positions:
        form, rest = values.split(position)
        if len(form.names) == 1 and not any(values.spread(v) for v in rest):
            found |= form.names
    return [a for a in op.axes if a.name in found]
