"""loop-copies: a copy wherever one value is needed in two places, so that the lowering can give each its memory."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.ir import Block, Operation, SSAValue

from ....dialects.loop.attributes import Axis, Target
from ....dialects.loop.linear import Access, Linear
from ....dialects.loop.ops import JoinOp, ScatterOp, StageOp, element_of, shape
from ....dialects.loop.queries import body_of
from ....dialects.nd.dims import size
from .step import LoopStep

WIDTHS = (64, 32, 16, 8)
"""Vector widths that a copy of a last dimension may have; a width must divide it."""


def copy_of(value: SSAValue, before: Operation) -> SSAValue:
    """Insert a stage that copies a value right before an op."""
    name = value.name_hint or "value"
    axes: list[Axis] = []
    access: Access = ()
    for d, extent in enumerate(shape(value)):
        last = d == len(shape(value)) - 1
        width = next((w for w in WIDTHS if last and isinstance(extent, int) and extent and extent % w == 0), None)
        if width is None:
            axes.append(Axis(f"d{d}", extent))
            access = (*access, Linear.axis(f"d{d}"))
        else:
            axes += [Axis(f"d{d}0", extent // width), Axis(f"d{d}", width, "vec")]
            access = (*access, Linear.axis(f"d{d}0", width) + Linear.axis(f"d{d}"))
    body = body_of([element_of(value)], lambda block: list(block.args), before.location)
    copy = StageOp.make(f"copy_{name}", axes, [(value, access)], [Target("", access)], body, before.location)
    home = before.parent
    assert home is not None
    home.insert_ops_before([copy], before)
    copy.results[0].name_hint = name
    return copy.results[0]


def fills(join: JoinOp) -> bool:
    """Do the pieces cover their result without overlap?"""
    total = sum((size(shape(p)) for p in join.pieces), start=0)
    return total == size(shape(join.res))


def separate(block: Block) -> None:
    """Give every destination of a block a value of its own: what it ends with, and the pieces of its joins."""
    last = block.last_op
    assert last is not None
    placed: set[SSAValue] = set()
    for k, value in enumerate(last.operands):
        if value in placed or value.owner is block or value.owner.parent is not block:
            last.operands[k] = copy_of(value, last)
        else:
            placed.add(value)
    for op in list(block.ops):
        if isinstance(op, JoinOp):
            for k, piece in enumerate(op.pieces):
                elsewhere = any(u.operation is not op for u in piece.uses) and not fills(op)
                if piece in placed or elsewhere or piece.owner is block or piece.owner.parent is not block:
                    op.operands[k] = copy_of(piece, op)
                else:
                    placed.add(piece)
        for region in op.regions if not isinstance(op, StageOp | ScatterOp) else ():
            for inner in region.blocks:
                separate(inner)


@dataclass(frozen=True)
class LoopCopies(LoopStep):
    """Copy a value that is needed at two destinations: returned twice, an argument returned, a piece with other uses.

        func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> { func.return %x : tensor<4xf32> }
    becomes
        func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
          %x_1 = loop.stage copy_x [d0: 4] (%0 = %x[d0]) -> [d0] { loop.yield %0 : f32 }
          func.return %x_1 : tensor<4xf32>
        }

    Every destination (a result, an iteration's tile, a joined piece) gets its own value; the lowering relies on it.
    """

    name = "loop-copies"

    def on(self, f: func.FuncOp) -> None:
        for block in f.body.blocks:
            separate(block)
