"""Comparisons of positions, before fusion: each reader gets its own, since they cost less than a mask in memory.

    %0 = nd.compare ge %i, %j                       %0 = nd.compare ge %i, %j
    %1 = nd.exp %a                                  %1 = nd.exp %a
    %2 = nd.select %0, %1, %low            ->       %2 = nd.select %0, %1, %low
    %3 = nd.select %0, %b, %low                     %4 = nd.compare ge %i, %j
                                                    %3 = nd.select %4, %b, %low

Layers of one program share their causal mask, and would wait for the kernel of the first to store it.
"""

from __future__ import annotations

from xdsl.dialects.builtin import i1
from xdsl.ir import Block, Operation, SSAValue

from ...dialects.graph.views import VIEWS
from ...dialects.nd.constant import Source
from ...dialects.nd.elementwise import Add, And, Not, Or, Sub
from ...dialects.nd.resource import is_stored
from ...dialects.nd.selection import Compare
from ...dialects.nd.types import element
from ..blocks import clone
from .rewriting import erase, is_dead

PREDICATES = (And, Compare, Not, Or)
CHEAP = (Add, Sub, *PREDICATES)
DEPTH = 6


def repeat_positions(block: Block) -> None:
    """Give every reader of a predicate that is made of positions alone its own."""
    for op in list(block.ops):
        if not isinstance(op, (*PREDICATES, *VIEWS)) or element(op.results[0].type) != i1:
            continue
        value = op.results[0]
        if value.has_one_use() or not _of_positions(value, DEPTH):
            continue
        for use in list(value.uses):
            if use.operation.parent is block and not isinstance(use.operation, (*PREDICATES, *VIEWS)):
                env: dict[SSAValue, SSAValue] = {}
                _copy(value, use.operation, env)
                use.operation.operands[use.index] = env[value]
        _drop(value)


def _of_positions(value: SSAValue, depth: int) -> bool:
    op = value.owner
    if isinstance(op, Source):
        return not is_stored(op)
    return depth > 0 and isinstance(op, (*CHEAP, *VIEWS)) and all(_of_positions(v, depth - 1) for v in op.operands)


def _copy(value: SSAValue, before: Operation, env: dict[SSAValue, SSAValue]) -> None:
    """The ops of a value once more, except for what kernels repeat anyway."""
    op = value.owner
    if not isinstance(op, Operation) or isinstance(op, Source) or value in env:
        return
    for operand in op.operands:
        _copy(operand, before, env)
    assert before.parent is not None
    before.parent.insert_op_before(clone(op, env), before)


def _drop(value: SSAValue) -> None:
    """Take out what nobody reads now."""
    op = value.owner
    if isinstance(op, Operation) and is_dead(op):
        operands = list(op.operands)
        erase(op)
        for operand in operands:
            _drop(operand)
