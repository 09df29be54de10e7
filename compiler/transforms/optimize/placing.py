"""Where an alternative stands: in front of the first op that it replaces, with what it reads in front of that."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block, Operation, SSAValue

from ....dialects.nd.op import place
from ..rewriting import Replacement, is_pure
from .alternatives import Alternative, Answer


def built(alternative: Alternative) -> Replacement:
    """Build an alternative at the current place; what it reads moves in front of the ops that it replaces."""
    answer = alternative()
    made = place().block
    late = earlier(answer, made)
    assert late is not None
    before = _first([v for v, _ in answer])
    for op in late:
        op.detach()
        assert before.parent is not None
        before.parent.insert_op_before(op, before)
    return Replacement([v for v, _ in answer], [new for _, new in answer], before)


def _first(values: Sequence[SSAValue]) -> Operation:
    """The first of the ops that make these values."""
    ops = [v.owner for v in values if isinstance(v.owner, Operation)]
    if len(ops) == 1:
        return ops[0]
    block = ops[0].parent
    assert block is not None
    return next(op for op in block.ops if op in ops)


def earlier(answer: Answer, made: Block) -> list[Operation] | None:
    """The ops that have to move in front of the first one that is replaced, since new ops read them; None if one
    cannot: it has effects or regions, or depends on what is replaced."""
    first = _first([v for v, _ in answer])
    if len(answer) == 1:
        return []
    block = first.parent
    assert block is not None
    number = {op: k for k, op in enumerate(block.ops)}
    replaced = {v.owner for v, _ in answer}
    found: dict[Operation, None] = {}
    waiting: list[SSAValue] = [v for op in made.ops for v in op.operands]
    for value in waiting:
        op = value.owner
        if not isinstance(op, Operation) or op.parent is not block or number[op] < number[first] or op in found:
            continue
        if op in replaced or op.regions or not is_pure(op):
            return None
        found[op] = None
        waiting += op.operands
    return sorted(found, key=number.__getitem__)
