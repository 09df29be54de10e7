"""What a piece of a program takes when it is compiled: simplified, fused, and estimated on a machine."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Region

from ...blocks import terminator
from ...cost import estimate
from ...machine import Machine
from ..canonicalize import canonicalize
from ..graph_fuse import fuse_block


def price(block: Block, machine: Machine, numerics: str) -> float:
    """Seconds of a block that ends in `func.return`, which is consumed. Its arguments are there already."""
    canonicalize(block, numerics)
    results = [v.type for v in terminator(block).operands]
    f = FuncOp("main", ([a.type for a in block.args], results), Region(block))
    module = ModuleOp([f])
    fuse_block(block)
    return estimate(module, machine=machine).seconds
