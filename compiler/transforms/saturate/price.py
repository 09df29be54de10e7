"""What a piece of a program takes when it is compiled: simplified, fused, and estimated on a machine.

What depends on constants alone is prepared before a program runs, and costs nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, Region, SSAValue

from ....dialects.nd.constant import Source
from ....dialects.nd.op import NdOp
from ....dialects.nd.resource import is_stored
from ...blocks import terminator
from ...cost import estimate
from ...machine import Machine
from ..canonicalize import canonicalize
from ..graph_fuse import fuse_block
from ..region_operands import prepare_regions
from ..rewriting import erase, is_dead


def price(block: Block, machine: Machine, numerics: str, constant: Collection[SSAValue] = ()) -> float:
    """Seconds of a block as a program, which is consumed. `constant`: arguments that depend on constants alone."""
    _take_out(block, constant)
    canonicalize(block, numerics)
    results = [v.type for v in terminator(block).operands]
    module = ModuleOp([FuncOp("main", ([a.type for a in block.args], results), Region(block))])
    prepare_regions(block)
    fuse_block(block)
    return estimate(module, machine=machine).seconds


def _take_out(block: Block, constant: Collection[SSAValue]) -> None:
    """Make arguments of what can be prepared: that of which some lies in memory."""
    known, stored = constants(block, constant)
    arguments: dict[SSAValue, SSAValue] = {}
    for op in block.ops:
        for k, v in enumerate(op.operands):
            if v in stored and isinstance(v.owner, Operation) and not all(r in known for r in op.results or (v,)):
                if v not in arguments:
                    arguments[v] = block.insert_arg(v.type, len(block.args))
                op.operands[k] = arguments[v]
    for op in reversed(list(block.ops)):
        if is_dead(op):
            erase(op)


def constants(block: Block, constant: Collection[SSAValue] = ()) -> tuple[set[SSAValue], set[SSAValue]]:
    """The values that depend on constants alone, and those of them to which one that lies in memory contributes."""
    known, stored = set(constant), set(constant)
    for op in block.ops:
        if isinstance(op, NdOp) and follows(op, op.operands, known):
            known.update(op.results)
            if is_stored(op) or any(v in stored for v in op.operands):
                stored.update(op.results)
    return known, stored


def follows(op: NdOp, operands: Sequence[SSAValue], known: Collection[SSAValue]) -> bool:
    """Is it a constant, given those that are?"""
    return isinstance(op, Source) or (bool(operands) and all(v in known for v in operands))
