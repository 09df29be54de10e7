"""loop-raster: the order in which the tiles of a grid are worked on."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import IntegerAttr, i64

from ....dialects.loop.ops import ForOp, YieldOp
from .step import LoopStep, NothingToDo, refuse

GROUP = "loop.group"


@dataclass(frozen=True)
class LoopRaster(LoopStep):
    """Let blocks that run at the same time share what they read: `rows` iterations of a loop before the next of the
    loop inside of it.

        %c = loop.for i0 = 4096 step 128 block -> [i0, 0] {
          %d = loop.for j0 = 4096 step 128 block -> [0, j0] {..}
    becomes, with loop=i0 rows=8,
        %c = loop.for i0 = 4096 step 128 block -> [i0, 0] attributes {loop.group = 8 : i64} {..}

    The loops mean the same. Blocks of a grid are started in the order of their numbers: with groups, those that run at
    a time are about a square of tiles, whose rows and columns stay in the caches.
    """

    name = "loop-raster"

    loop: str
    rows: int

    def on(self, f: func.FuncOp) -> None:
        found = [op for op in f.walk() if isinstance(op, ForOp) and op.axis.data == self.loop]
        if not found:
            names = list(dict.fromkeys(op.axis.data for op in f.walk() if isinstance(op, ForOp)))
            what = f"expected a loop, one of {', '.join(names) or 'none'}"
            raise NothingToDo(f"{self.name}: {what}, found {self.loop}", f.location)
        if self.rows < 1:
            raise refuse(self.name, f, f"expected at least one row, found {self.rows}")
        for loop in found:
            inside = [op for op in loop.body.block.ops if not isinstance(op, YieldOp)]
            inner = inside[0] if len(inside) == 1 else None
            if loop.kind.data != "block" or not isinstance(inner, ForOp) or inner.kind.data != "block":
                what = f"expected {self.loop} to be a block loop around another"
                raise refuse(self.name, loop, f"{what}, found {inner.name if inner is not None else len(inside)}")
            loop.attributes[GROUP] = IntegerAttr(self.rows, i64)
