"""What a piece of a program takes, and what of it depends on constants alone, which is prepared before it runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from xdsl.ir import Block, SSAValue

from ....dialects.nd.constant import Source
from ....dialects.nd.op import NdOp
from ...cost import Cost, estimate_block
from ...machine import Machine
from ..canonicalize import canonicalize


def price(block: Block, machine: Machine, numerics: str, constant: Collection[SSAValue] = ()) -> Cost:
    """Of a block, which is simplified, as a program. `constant`: arguments that depend on constants alone."""
    canonicalize(block, numerics)
    return estimate_block(block, machine, constant)


def constants(block: Block) -> set[SSAValue]:
    """The values that depend on constants alone."""
    known: set[SSAValue] = set()
    for op in block.ops:
        if isinstance(op, NdOp) and follows(op, op.operands, known):
            known.update(op.results)
    return known


def follows(op: NdOp, operands: Sequence[SSAValue], known: Collection[SSAValue]) -> bool:
    """Is it a constant, given those that are?"""
    return isinstance(op, Source) or (bool(operands) and all(v in known for v in operands))
