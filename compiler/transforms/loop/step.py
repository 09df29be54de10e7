"""What every schedule step is: a pass over the functions of a module that names axes, values and stages.

A step that finds nothing to work on refuses: a misspelt axis must not pass for a schedule. It refuses with a
`CompileError` that says which stage, which axis and why; the program is then as it was before the step.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.context import Context
from xdsl.dialects import builtin, func
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ....dialects.errors import CompileError
from ....dialects.loop.ops import StageOp
from ....dialects.loop.queries import stages

PLANNED = "graph.results"
"""On a program after graph-plan, which launches kernels and is none itself."""


class LoopStep(ModulePass):
    """Base of the steps; a subclass says in `on` what happens to one function, and whether it applied at all."""

    def apply(self, ctx: Context, op: builtin.ModuleOp) -> None:
        functions = [
            f for f in op.walk() if isinstance(f, func.FuncOp) and f.body.blocks and PLANNED not in f.attributes
        ]
        reasons: list[CompileError] = []
        applied = False
        for f in functions:
            try:
                self.on(f)
                applied = True
            except NothingToDo as reason:
                reasons.append(reason)
        if reasons and not applied:
            raise reasons[0]

    def on(self, f: func.FuncOp) -> None:
        raise NotImplementedError


class NothingToDo(CompileError):
    """The function has no such axis, value or stage; another function of the module may have."""


def refuse(step: str, op: Operation, why: str) -> CompileError:
    """A refusal at a stage or loop: `loop-tile: stage mm: axis k ...`."""
    where = f"stage {op.label.data}: " if isinstance(op, StageOp) else ""
    return CompileError(f"{step}: {where}{why}", op.location)


def chosen(step: str, f: func.FuncOp, only: Sequence[str]) -> list[StageOp]:
    """The stages that a step may touch; a label that no stage has is refused."""
    everything = stages(f)
    labels = list(dict.fromkeys(s.label.data for s in everything))
    for label in only:
        if label not in labels:
            raise NothingToDo(f"{step}: expected a stage of {', '.join(labels) or 'none'}, found {label}", f.location)
    return [s for s in everything if not only or s.label.data in only]


def require_axes(step: str, f: func.FuncOp, axes: Sequence[str], only: Sequence[str]) -> None:
    """Each named axis is in the domain of some chosen stage."""
    found = list(dict.fromkeys(a.name for s in chosen(step, f, only) for a in s.axes))
    for axis in axes:
        if axis not in found:
            where = f"stages {', '.join(only)}" if only else f"@{f.sym_name.data}"
            message = f"{step}: expected an axis of {where}, one of {', '.join(found) or 'none'}, found {axis}"
            raise NothingToDo(message, f.location)
