"""Edits around ops with regions: what is built before one, what stands for its results, regions moved in its place."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from xdsl.ir import Block, Operation, SSAValue

from ...dialects.nd.constant import Constant, Source
from ...dialects.nd.control import Control, yields
from ...dialects.nd.op import building
from ...dialects.nd.resource import ResourceOp
from ..blocks import clone


@contextmanager
def before(op: Operation) -> Generator[None]:
    """What is built goes before the op."""
    scratch = Block()
    with building(scratch, op.location):
        yield
    assert op.parent is not None
    for new in list(scratch.ops):
        new.detach()
        op.parent.insert_op_before(new, op)


def stand_for(op: Control, values: Sequence[SSAValue]) -> bool:
    """The values take the place of the results; the op goes."""
    for old, new in zip(op.results, values, strict=True):
        give(old, new)
    op.detach()
    op.drop_all_references()
    return True


def give(old: SSAValue, new: SSAValue) -> None:
    if new.name_hint is None:
        new.name_hint = old.name_hint
    old.replace_all_uses_with(new)


def in_place(op: Control, block: Block, args: Sequence[SSAValue]) -> list[SSAValue]:
    """Move a region's ops before the op; what it yields."""
    for arg, value in zip(block.args, args, strict=True):
        arg.replace_all_uses_with(value)
    out, last = list(yields(block)), block.last_op
    assert op.parent is not None and last is not None
    last.detach()
    last.drop_all_references()
    for inner in list(block.ops):
        inner.detach()
        op.parent.insert_op_before(inner, op)
    return out


def source_like(v: SSAValue) -> Source | None:
    """The op of a value that costs nothing to make again: one number everywhere, an iota, a size."""
    owner = v.owner
    if not isinstance(owner, Source) or isinstance(owner, ResourceOp):
        return None
    return owner if type(owner) is not Constant or owner.splat is not None else None


def same_source(x: SSAValue, y: SSAValue) -> bool:
    a, b = source_like(x), source_like(y)
    return a is not None and b is not None and type(a) is type(b) and a.properties == b.properties


def copy_into(block: Block, op: Operation) -> SSAValue:
    """A copy of an op without operands at the start of a region."""
    new = clone(op, {})
    first = block.first_op
    assert first is not None
    block.insert_op_before(new, first)
    return new.results[0]
