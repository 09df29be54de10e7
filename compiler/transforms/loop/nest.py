"""loop-nest: make an axis of the domains a loop around them."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import func

from .step import LoopStep, require_axes
from .structure import extent_of, loop_around, require_outermost, runs
from .tile import check_kind


@dataclass(frozen=True)
class LoopNest(LoopStep):
    """Make an axis a loop around all neighbouring stages that may share it: each iteration computes one point of it.

        %m = loop.stage max [i: 4096, j: 1024] (%x = %X[i, j]) -> max [i] {..}
        %y = loop.stage sub [i: 4096, j: 1024] (%x = %X[i, j], %t = %m[i]) -> [i, j] {..}
    becomes, with axis=i,
        %y = loop.for i = 4096 -> [i, 0] {
          %m = loop.stage max [j: 1024] (%x = %X[i, j]) -> max [0] {..}
          %y_1 = loop.stage sub [j: 1024] (%x = %X[i, j], %t = %m[0]) -> [0, j] {..}
          loop.yield %y_1 : tensor<1x1024xf32>
        }
    """

    name = "loop-nest"

    axis: str
    only: tuple[str, ...] = ()
    kind: str = ""
    through: tuple[str, ...] = ()

    def on(self, f: func.FuncOp) -> None:
        require_axes(self.name, f, [self.axis], self.only)
        check_kind(self.name, f, self.kind)
        found = runs(f, self.axis, self.only, self.through)
        for run in found:
            require_outermost(self.name, run, self.axis)
        for run in found:
            loop_around(run, self.axis, extent_of(run, self.axis), 1, False, self.kind)
