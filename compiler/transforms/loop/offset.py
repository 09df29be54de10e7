"""loop-offset: read bytes shifted by 128, which changes their sign, and take back what that adds to a sum of products.

    sum_k a_k b_k = sum_k a_k (b_k + 128) - 128 sum_k a_k

modulo 2^32, the width of the sum. Instructions that multiply and add bytes take one factor with a sign and one without.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import arith, func
from xdsl.dialects.builtin import IntegerAttr, i8, i32
from xdsl.ir import Block, Operation, SSAValue

from ....dialects.loop.attributes import Target
from ....dialects.loop.combiners import combine
from ....dialects.loop.linear import Access, Linear
from ....dialects.loop.narrow_products import extended, product
from ....dialects.loop.ops import StageOp
from ....dialects.loop.queries import body_of, spreads
from .cones import backwards, reads
from .step import LoopStep, NothingToDo, chosen, refuse

HALF = 128
FLIPPED: dict[str, tuple[type[Operation], int]] = {
    "arith.extsi": (arith.ExtUIOp, -HALF),
    "arith.extui": (arith.ExtSIOp, HALF),
}
"""The extension of the shifted factor instead of its own, and by what the other one's sum is multiplied then."""


def factors(stage: StageOp, operand: int) -> tuple[SSAValue, SSAValue] | None:
    """The factor that depends on an operand, and the other one; None: the stage is no sum of products of bytes."""
    pair = product(stage)
    narrow = [extended(v) for v in pair] if pair is not None else []
    if pair is None or any(n is None or n[0].type != i8 for n in narrow):
        return None
    of = [reads(v, stage.body.block.args[operand]) for v in pair]
    if of[0] == of[1]:
        return None
    return pair if of[0] else (pair[1], pair[0])


def offset(stage: StageOp, shifted: SSAValue, other: SSAValue) -> None:
    """Shift a factor of the stage, and put the sum of the other one and the difference around it."""
    wide = shifted.owner
    assert isinstance(wide, Operation)
    cls, times = FLIPPED[wide.name]
    total = sum_stage(stage, other)
    shift(wide, cls)
    kept = tuple(Linear.axis(form.terms[0][0]) if form.terms else Linear() for form in stage.target(0).access)
    corrected = difference(stage, total, kept, times)
    home = stage.parent
    assert home is not None
    home.insert_ops_before([total], stage)
    home.insert_ops_after([corrected], stage)
    result, new = stage.results[0], corrected.results[0]
    new.name_hint = result.name_hint
    result.name_hint, total.results[0].name_hint = stage.label.data, total.label.data
    for use in list(result.uses):
        if use.operation is not corrected:
            use.operation.operands[use.index] = new


def shift(wide: Operation, cls: type[Operation]) -> None:
    """x ^ 0x80 extended in the other way."""
    narrow = wide.operands[0]
    top = arith.ConstantOp.create(
        result_types=[i8], properties={"value": IntegerAttr(-HALF, i8)}, location=wide.location
    )
    flip = arith.XOrIOp.create(operands=[narrow, top.results[0]], result_types=[i8], location=wide.location)
    new = cls.create(operands=[flip.results[0]], result_types=[i32], location=wide.location)
    block = wide.parent
    assert block is not None
    block.insert_ops_before([top, flip, new], wide)
    new.results[0].name_hint = wide.results[0].name_hint
    wide.results[0].replace_all_uses_with(new.results[0])
    wide.detach()
    wide.erase()


def sum_stage(stage: StageOp, other: SSAValue) -> StageOp:
    """The sum of the other factor over the reduced axes, for each point of the rest of its axes."""
    assert isinstance(other.owner, Operation)
    ops = backwards(other.owner)
    inputs = {v for op in ops for v in op.operands}
    read = [k for k, arg in enumerate(stage.body.block.args) if arg in inputs]
    kept = {n for form in stage.target(0).access for n in form.names}
    spread = spreads(stage)[other]
    axes = [a for a in stage.axes if a.name in spread or a.name not in kept]
    target = tuple(Linear.axis(a.name) for a in axes if a.name in kept)

    def build(block: Block) -> list[SSAValue]:
        env: dict[SSAValue, SSAValue] = {stage.body.block.args[k]: arg for k, arg in zip(read, block.args)}
        block.add_ops([op.clone(env) for op in ops])
        return [env[other]]

    body = body_of([stage.body.block.args[k].type for k in read], build, stage.location)
    reads_ = [stage.reads()[k] for k in read]
    return StageOp.make(f"{stage.label.data}_sum", axes, reads_, [Target("add", target)], body, stage.location)


def difference(stage: StageOp, total: StageOp, kept: Access, times: int) -> StageOp:
    """sum + times * total, at each element of the result."""

    def build(block: Block) -> list[SSAValue]:
        factor = arith.ConstantOp.create(
            result_types=[i32], properties={"value": IntegerAttr(times, i32)}, location=stage.location
        )
        scaled = combine("mul", block.args[1], factor.results[0], stage.location)
        found = combine("add", block.args[0], scaled.results[0], stage.location)
        block.add_ops([factor, scaled, found])
        return [found.results[0]]

    names = {n for form in kept for n in form.names}
    axes = [a for a in stage.axes if a.name in names]
    own = total.target(0).access
    body = body_of([i32, i32], build, stage.location)
    read = [(stage.results[0], kept), (total.results[0], own)]
    return StageOp.make(f"{stage.label.data}_offset", axes, read, [Target("", kept)], body, stage.location)


@dataclass(frozen=True)
class LoopOffset(LoopStep):
    """Change the sign of the bytes that stages read of `value` by an offset of 128, and correct the sum of products.

        %c = loop.stage mm [i: 8, j: 64, k: 256] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
          %x = arith.extsi %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          loop.yield %p : i32
        }
    becomes, with value=B,
        %mm_sum = loop.stage mm_sum [i: 8, k: 256] (%a = %A[i, k]) -> add [i] { %x = arith.extsi %a .. loop.yield %x }
        %mm = loop.stage mm [i: 8, j: 64, k: 256] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
          %x = arith.extsi %a : i8 to i32
          %u = arith.xori %b, %c-128 : i8
          %y = arith.extui %u : i8 to i32
          ..
        }
        %c = loop.stage mm_offset [i: 8, j: 64] (%t = %mm[i, j], %s = %mm_sum[i]) -> [i, j] { %t - 128 * %s }

    Before any axis is split or tiled; results are the same in every bit.
    """

    name = "loop-offset"

    value: str
    only: tuple[str, ...] = ()

    def on(self, f: func.FuncOp) -> None:
        found = [
            (stage, pair)
            for stage in chosen(self.name, f, self.only)
            for k, value in enumerate(stage.ins)
            if value.name_hint == self.value and (pair := factors(stage, k)) is not None
        ]
        if not found:
            what = "expected a stage that adds products of bytes, one of them"
            raise NothingToDo(f"{self.name}: {what} of {self.value}, found none", f.location)
        for stage, _ in found:
            if any(len(form.terms) > 1 or form.const != 0 for form in stage.target(0).access):
                raise refuse(self.name, stage, "expected result indices of one axis each, found a split or tiled one")
        for stage, (shifted, other) in found:
            offset(stage, shifted, other)
