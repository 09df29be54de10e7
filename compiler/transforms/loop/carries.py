"""Schedules for loops that carry values (cumulative reductions): what is carried stays in registers.

The axes of the lines become loops around the whole: of the one along which elements lie side by side as many vectors
at once as half of the registers hold, of the others one point. Where the lines themselves lie along memory, several are
worked on at once: each waits for its own sum only.
"""

from __future__ import annotations

from xdsl.dialects import func

from ....dialects.loop.ops import ForOp, StageOp
from ....dialects.loop.queries import stages
from ....dialects.nd.dims import Dim
from ...machine import Machine
from .reorder import axis_stride, strides_of
from .steptext import lanes_of, step

LINES = 8
"""Lines at once where they lie along memory."""


def carrying(f: func.FuncOp) -> list[ForOp]:
    """The loops of the function's body that carry values."""
    return [op for op in f.body.block.ops if isinstance(op, ForOp) and op.inits]


def first_values(f: func.FuncOp) -> set[StageOp]:
    """The stages that only make the first of what is carried."""
    loops = carrying(f)
    made = [v.owner for loop in loops for v in loop.inits]
    return {s for s in made if isinstance(s, StageOp) and all(u.operation in loops for r in s.results for u in r.uses)}


def schedule_carry(loop: ForOp, machine: Machine) -> list[str]:
    """Steps for one loop and the stages that begin it."""
    found = stages(loop)
    inits = [v.owner for v in loop.inits if isinstance(v.owner, StageOp)]
    if len(found) != 1 or len(inits) != len(loop.inits):
        return []
    (stage,) = found
    names = [*(s.label.data for s in inits), stage.label.data]
    axes = [a for a in stage.axes if a.extent != 1]
    reads = [(access, strides_of(v)) for v, access in stage.reads() if v not in loop.body.block.args]
    lane = next((a.name for a in axes if any(axis_stride(p, s, a.name) == 1 for p, s in reads)), None)
    if lane is not None:
        width = balanced(stage.extent(lane), lanes_of([stage], machine), machine.registers // 2)
    elif axes:
        lane, width = axes[-1].name, LINES
    else:
        width = 1
    steps: list[str] = []
    for a in axes:
        size = width if a.name == lane else 1
        if not isinstance(a.extent, int) or a.extent > size:
            steps.append(step("tile", names, axis=a.name, size=size))
    return [*steps, step("vectorize", names, axes=[lane])] if lane else steps


def balanced(length: Dim | None, lanes: int, vectors: int) -> int:
    """Elements of a line that are carried at the same time, at most so many vectors: blocks of nearly one size."""
    if not isinstance(length, int):
        return lanes * vectors // 2
    blocks = max(-(-length // (lanes * vectors)), 1)
    return -(-length // (blocks * lanes)) * lanes
