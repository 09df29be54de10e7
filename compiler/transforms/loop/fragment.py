"""loop-fragment: share a tile out to warps and lanes as the matrix instructions of a warp hold it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from xdsl.dialects import func

from ....dialects.loop.attributes import Axis
from ....dialects.loop.linear import Linear
from ....dialects.loop.ops import StageOp
from ....dialects.loop.queries import enclosing
from .step import LoopStep, chosen, refuse, require_axes
from .structure import substitute

LANES, PAIR, SIDE = (8, 4), 2, 8
"""Lanes along rows and columns, neighbours of a thread along columns, rows and columns that lanes cover."""


@dataclass(frozen=True)
class LoopFragment(LoopStep):
    """Share two axes out: `warps` along each, then tiles of 8, of which a thread has one row, and two neighbours of it.

        %c = loop.stage mm [i: 128, j: 128, k: 32] (..) -> add [i, j] {..}
    becomes, with rows=i columns=j warps=2,4,
        %c = loop.stage mm [i0: warp 2, i1: vec 8, i: lane 8, j0: warp 4, j1: vec 4, j2: lane 4, j: vec 2, k: 32] (..)
               -> add [64 * i0 + 8 * i1 + i, 32 * j0 + 8 * j1 + 2 * j2 + j] {..}

    This is how the result of a matrix instruction lies in registers (lowering/matrix_product.py); a stage that is no
    sum of products of narrow factors computes its points like with any other mapping. Extents must be multiples of the
    warps times 16 for rows, and times 8 for columns.
    """

    name = "loop-fragment"

    rows: str
    columns: str
    warps: tuple[int, ...]
    only: tuple[str, ...] = ()

    def on(self, f: func.FuncOp) -> None:
        require_axes(self.name, f, [self.rows, self.columns], self.only)
        if len(self.warps) != 2:
            raise refuse(self.name, f, f"expected warps along rows and columns, found {len(self.warps)} numbers")
        stages = chosen(self.name, f, self.only)
        for stage in stages:
            for axis, warps, least in ((self.rows, self.warps[0], 16), (self.columns, self.warps[1], 8)):
                extent = stage.extent(axis)
                if warps < 1 or not isinstance(extent, int) or extent % (warps * least):
                    what = f"expected an extent of axis {axis} that is a multiple of {warps} * {least}"
                    raise refuse(self.name, stage, f"{what}, found {extent}")
        for stage in stages:
            self.share_out(stage, self.rows, self.warps[0], False)
            self.share_out(stage, self.columns, self.warps[1], True)

    def share_out(self, stage: StageOp, axis: str, warps: int, pairs: bool) -> None:
        extent = stage.extent(axis)
        assert isinstance(extent, int)
        used = {a.name for a in stage.axes} | {loop.axis.data for loop in enclosing(stage)}
        names = (name for i in count() if (name := f"{axis}{i}") not in used)
        each = extent // warps
        warp = Axis(next(names), warps, "warp")
        tiles = Axis(next(names), each // SIDE, "vec")
        digits = [(warp, each), (tiles, SIDE)]
        if pairs:
            digits += [(Axis(next(names), LANES[1], "lane"), PAIR), (Axis(axis, PAIR, "vec"), 1)]
        else:
            digits += [(Axis(axis, LANES[0], "lane"), 1)]
        digits = [(a, step) for a, step in digits if a.extent != 1]
        index = Linear()
        for a, step in digits:
            index += Linear.axis(a.name, step)
        stage.set_axes([a for old in stage.axes for a in ([d for d, _ in digits] if old.name == axis else [old])])
        substitute([stage], {axis: index})
        stage.retype()
