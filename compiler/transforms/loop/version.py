"""loop-version: two versions of what shares an axis of run-time extent, for many points and for few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Block, Operation, Region, SSAValue

from ....dialects.loop.control import IfOp
from ....dialects.loop.ops import YieldOp
from ....dialects.nd.dims import Dim
from .step import LoopStep, refuse, require_axes
from .structure import Run, all_members, copy_run, extent_of, external, fused, replace_outside, runs


def below(label: str, least: int) -> str:
    """The label of a stage in the version for fewer points."""
    return f"{label}_below{least}"


def known(op: Operation, extent: Dim) -> tuple[int, int | None]:
    """The least that a run-time extent is where an op runs, and what it is below of (None: no limit)."""
    least, limit = 0, None
    inner, parent = op, op.parent_op()
    while parent is not None:
        if isinstance(parent, IfOp) and parent.extent.data == extent:
            if inner.parent_region() is parent.then:
                least = max(least, parent.threshold)
            else:
                limit = parent.threshold if limit is None else min(limit, parent.threshold)
        inner, parent = parent, parent.parent_op()
    return least, limit


def version(run: Run, axis: str, least: int) -> None:
    """Put a run and a copy of it under `loop.if`."""
    results, parent, after, location = external(run), run[0].parent, run[-1].next_op, fused(run)
    assert parent is not None and after is not None
    few, mapping = copy_run(run)
    for stage in all_members(few):
        stage.properties["label"] = StringAttr(below(stage.label.data, least))
    made = [results, [mapping[r] for r in results]]
    for op in run:
        op.detach()
    many, other = (branch(ops, values, location) for ops, values in zip((run, few), made))
    choice = IfOp.make(extent_of(run, axis), least, many, other, location)
    parent.insert_ops_before([choice], after)
    replace_outside(results, list(choice.results), choice)


def runs_of_run_time(step: str, f: func.FuncOp, axis: str, only: Sequence[str]) -> list[Run]:
    """The runs that share an axis, whose extent must be known at run time only."""
    require_axes(step, f, [axis], only)
    found = runs(f, axis, only)
    for run in found:
        if isinstance(e := extent_of(run, axis), int):
            why = f"expected a run-time extent of axis {axis}, found {e}"
            raise refuse(step, all_members(run)[0], why)
    return found


def branch(ops: Run, values: list[SSAValue], location: object) -> Region:
    block = Block()
    block.add_ops(ops)
    block.add_op(YieldOp.create(operands=values, location=location))  # pyright: ignore[reportArgumentType]
    return Region(block)


@dataclass(frozen=True)
class LoopVersion(LoopStep):
    """Two versions of neighbouring stages that share an axis: for `least` points and more, and for fewer.

        %c = loop.stage mm [i: m, j: 64, k: 256] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {..}
    becomes, with axis=i least=6,
        %c = loop.if m >= 6 {
          %c_1 = loop.stage mm [i: m, j: 64, k: 256] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {..}
          loop.yield %c_1 : tensor<?x64xf32, #nd.sym<m>>
        } else {
          %c_2 = loop.stage mm_below6 [i: m, j: 64, k: 256] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {..}
          loop.yield %c_2 : tensor<?x64xf32, #nd.sym<m>>
        }

    Later steps name the stages of either version; a tile of at most `least` points needs no version of its own.
    """

    name = "loop-version"

    axis: str
    least: int
    only: tuple[str, ...] = ()

    def on(self, f: func.FuncOp) -> None:
        for run in runs_of_run_time(self.name, f, self.axis, self.only):
            version(run, self.axis, self.least)
