"""Where an alternative stands: in front of the first op that it replaces, with what it reads in front of that."""

from __future__ import annotations

from collections.abc import Container, Sequence

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
    before = _between([v for v, _ in answer])[0]
    for op in late:
        op.detach()
        assert before.parent is not None
        before.parent.insert_op_before(op, before)
    return Replacement([v for v, _ in answer], [new for _, new in answer], before)


def _between(values: Sequence[SSAValue]) -> list[Operation]:
    """The ops from the first to the last of those that make these values."""
    wanted = {v.owner for v in values}
    op = min(wanted, key=lambda o: _behind(o, wanted))
    found: list[Operation] = []
    while isinstance(op, Operation) and wanted:
        found.append(op)
        wanted.discard(op)
        op = op.next_op
    return found


def _behind(op: Operation | Block, wanted: Container[Operation | Block]) -> int:
    """How many of the wanted ops stand in front of an op."""
    count, at = 0, op.prev_op if isinstance(op, Operation) else None
    while at is not None:
        count += at in wanted
        at = at.prev_op
    return count


def earlier(answer: Answer, made: Block) -> list[Operation] | None:
    """The ops that have to move in front of the first one that is replaced, since new ops read them; None if one
    cannot: it has effects or regions, or depends on what is replaced."""
    if len(answer) == 1:
        return []
    number = {op: k for k, op in enumerate(_between([v for v, _ in answer]))}
    replaced = {v.owner for v, _ in answer}
    found: dict[Operation, None] = {}
    waiting: list[SSAValue] = [v for op in made.ops for v in op.operands]
    for value in waiting:
        op = value.owner
        if not isinstance(op, Operation) or op not in number or op in found:
            continue
        if op in replaced or op.regions or not is_pure(op):
            return None
        found[op] = None
        waiting += op.operands
    return sorted(found, key=number.__getitem__)
