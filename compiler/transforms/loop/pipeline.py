"""loop-pipeline: have the operands of the next iterations under way while those of this one are used."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import IntegerAttr, i64

from ....dialects.loop.ops import ForOp, StageOp
from .step import LoopStep, chosen, refuse

STAGES = "loop.stages"
MOST = 8


@dataclass(frozen=True)
class LoopPipeline(LoopStep):
    """Mark the innermost loop around stages, which sums what they make: its operands are copied ahead. What is left
    over of a loop, and stands in none, stays as it is.

        %c = loop.for k0 = 256 step 16 -> add [0, 0] {..}
    becomes, with only=mm stages=3,
        %c = loop.for k0 = 256 step 16 -> add [0, 0] attributes {loop.stages = 3 : i64} {..}

    The loop means the same. On a GPU, stages of it that depend on nothing made in it have memory for three blocks, and
    the copies of two are under way.
    """

    name = "loop-pipeline"

    stages: int
    only: tuple[str, ...] = ()

    def on(self, f: func.FuncOp) -> None:
        if not 2 <= self.stages <= MOST:
            raise refuse(self.name, f, f"expected from 2 to {MOST} stages, found {self.stages}")
        stages = chosen(self.name, f, self.only)
        loops = [loop for stage in stages if (loop := summing(stage)) is not None]
        if stages and not loops:
            parent = stages[0].parent_op()
            found = f"loop {parent.axis.data}" if isinstance(parent, ForOp) else "none"
            raise refuse(self.name, stages[0], f"expected a loop around it that sums its results, found {found}")
        for loop in loops:
            loop.attributes[STAGES] = IntegerAttr(self.stages, i64)


def summing(stage: StageOp) -> ForOp | None:
    """The loop right around a stage, if it is one that sums what the stage makes."""
    loop = stage.parent_op()
    if not isinstance(loop, ForOp) or loop.kind.data or not all(t.data.mode for t in loop.targets.data):
        return None
    return loop
