"""What a stage's body computes at points of some axes alone: the part that a copy over these axes can hold.

%c = loop.stage mm [i: 6, j: 64, k: 256] (%a = %A[i, k], %b = %B[k, j], %s = %S[j]) -> add [i, j] {
  %x = arith.sitofp %b : i8 to f32
  %y = arith.mulf %x, %s : f32         the cone of %b over k, j ends here
  %p = arith.mulf %a, %y : f32
  loop.yield %p : f32
}
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from ....dialects.loop.attributes import Axis, Target
from ....dialects.loop.linear import Access, Linear
from ....dialects.loop.ops import StageOp, element_of
from ....dialects.loop.queries import body_of, spreads
from .steptext import bytes_of


class Cone(NamedTuple):
    """The ops, in order, which nothing else uses but for their `end`; and the stage's operands that they read."""

    ops: Sequence[Operation]
    operands: Sequence[int]
    end: SSAValue


def cone(stage: StageOp, operand: int, axes: Collection[str], narrow: bool = False) -> Cone | None:
    """The largest part that reads an operand and depends on `axes` alone; `narrow`: whose end is no wider than that."""
    block = stage.body.block
    if stage.whole(operand):
        return None
    spread = spreads(stage)
    own = {a.name for a in stage.axes} & set(axes)
    limit = bytes_of(element_of(stage.ins[operand])) if narrow else None
    for op in reversed(list(block.ops)):
        if op is stage.terminator or len(op.results) != 1 or op.name == "loop.load":
            continue
        end = op.results[0]
        if not spread[end] <= own:
            continue
        if limit is not None and (bytes_of(end.type) > limit or op.name == "arith.bitcast"):
            continue
        ops = backwards(op)
        inputs = {v for o in ops for v in o.operands}
        read = [k for k, arg in enumerate(block.args) if arg in inputs]
        if operand in read and closed(ops, [block.args[k] for k in read], end):
            return Cone(ops, read, end)
    return None


def backwards(last: Operation) -> list[Operation]:
    """An op and those of its block that it depends on, in order."""
    needed = {last}
    op: Operation | None = last
    ops: list[Operation] = []
    while op is not None:
        if op in needed:
            ops.append(op)
            needed |= {v.owner for v in op.operands if isinstance(v.owner, Operation)}
        op = op.prev_op
    return ops[::-1]


def reads(value: SSAValue, argument: SSAValue) -> bool:
    """Does a value of a body depend on an argument?"""
    if isinstance(value, BlockArgument):
        return value is argument
    return isinstance(value.owner, Operation) and any(argument in op.operands for op in backwards(value.owner))


def closed(ops: Sequence[Operation], read: Collection[SSAValue], end: SSAValue) -> bool:
    """Does nothing else use what the ops read and make, but for constants, coordinates and the end?"""
    inside = set(ops)
    values = [*read, *(r for op in ops if op.operands for r in op.results if r is not end)]
    return all(use.operation in inside for v in values for use in v.uses)


def copy_of(stage: StageOp, part: Cone, label: str, axes: Sequence[Axis]) -> StageOp:
    """A stage that stores the cone's end at each point of `axes`."""

    def build(block: Block) -> list[SSAValue]:
        env: dict[SSAValue, SSAValue] = {}
        for k, arg in zip(part.operands, block.args):
            env[stage.body.block.args[k]] = arg
            arg.name_hint = stage.body.block.args[k].name_hint
        for op in part.ops:
            block.add_op(op.clone(env))
        return [env[part.end]]

    reads = [stage.reads()[k] for k in part.operands]
    local: Access = tuple(Linear.axis(a.name) for a in axes)
    body = body_of([element_of(v) for v, _ in reads], build, stage.location)
    return StageOp.make(label, axes, reads, [Target("", local)], body, stage.location)


def replace_cone(stage: StageOp, part: Cone, value: SSAValue, access: Access) -> None:
    """Let the stage read a value instead of computing the cone's end; what it no longer needs goes."""
    block, first = stage.body.block, part.operands[0]
    reads = stage.reads()
    part.end.replace_all_uses_with(block.insert_arg(part.end.type, first, block.args[first].location))
    reads.insert(first, (value, access))
    for op in reversed(part.ops):
        if not any(r.uses for r in op.results):
            op.detach()
            op.erase()
    for k in reversed([k + 1 for k in part.operands]):
        if not block.args[k].uses:
            block.erase_arg(block.args[k])
            del reads[k]
    stage.operands = [v for v, _ in reads]
    stage.set_reads([a for _, a in reads])
