"""loop-split: strip-mine an axis inside the domains."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import func

from ....dialects.loop.attributes import Axis
from ....dialects.loop.linear import Linear
from .step import LoopStep, refuse, require_axes
from .structure import Run, all_members, cut, extent_of, fresh, require_outermost, retype, runs, substitute


def strip(run: Run, axis: str, size: int) -> str:
    """`axis` becomes `size * outer + axis` in the domains; no loop yet. Returns the outer axis."""
    outer, count = fresh(run, axis), extent_of(run, axis) // size
    for stage in all_members(run):
        split = [[Axis(outer, count), a._replace(extent=size)] if a.name == axis else [a] for a in stage.axes]
        stage.set_axes([a for part in split for a in part])
    substitute(run, {axis: Linear.axis(outer, size) + Linear.axis(axis)})
    retype(run)
    return outer


@dataclass(frozen=True)
class LoopSplit(LoopStep):
    """Strip-mine an axis inside the domains; a ragged end is cut off and joined or combined afterwards.

        %y = loop.stage f [j: 1024] (%x = %X[j]) -> [j] {..}
    becomes, with axis=j size=64,
        %y = loop.stage f [j0: 16, j: 64] (%x = %X[64 * j0 + j]) -> [64 * j0 + j] {..}
    """

    name = "loop-split"

    axis: str
    size: int
    only: tuple[str, ...] = ()

    def on(self, f: func.FuncOp) -> None:
        require_axes(self.name, f, [self.axis], self.only)
        if self.size < 1:
            raise refuse(self.name, f, f"expected a size of at least 1 for axis {self.axis}, found {self.size}")
        found = runs(f, self.axis, self.only)
        for run in found:
            if extent_of(run, self.axis) // self.size * self.size != extent_of(run, self.axis):
                require_outermost(self.name, run, self.axis)
        for run in found:
            extent = extent_of(run, self.axis)
            if isinstance(extent, int) and extent <= self.size:
                continue
            whole = extent // self.size * self.size
            if whole != extent:
                run, _ = cut(run, self.axis, whole, extent)
            strip(run, self.axis, self.size)
