"""set-schedule: give every kernel the same schedule, the user's.

    func.func @f(%x: tensor<64xf32>) -> tensor<64xf32> {
      %y = loop.stage s [i: 64] (%a = %x[i]) -> [i] {..}
becomes, steps="loop-vectorize{axes=i}",
    func.func @f(%x: tensor<64xf32>) -> tensor<64xf32> attributes {loop.schedule = "loop-vectorize{axes=i}"} {
      %y = loop.stage s [i: 64] (%a = %x[i]) -> [i] {..}

A function that has a schedule keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import StringAttr

from .apply_schedule import SCHEDULE, steps_of
from .step import LoopStep


@dataclass(frozen=True)
class SetSchedule(LoopStep):
    """Write `loop.schedule = "<steps>"` on every function of loop stages that has none."""

    name = "set-schedule"
    steps: str

    def on(self, f: func.FuncOp) -> None:
        if SCHEDULE not in f.attributes and any(op.name.startswith("loop.") for op in f.body.block.ops):
            steps_of(self.steps)
            f.attributes[SCHEDULE] = StringAttr(self.steps)
