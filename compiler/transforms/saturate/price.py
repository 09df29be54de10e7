"""What a piece of a program takes."""

from __future__ import annotations

from collections.abc import Collection

from xdsl.ir import Block, SSAValue

from ...cost import Cost, estimate_block
from ...machine import Machine
from ..canonicalize import canonicalize


def price(block: Block, machine: Machine, numerics: str, constant: Collection[SSAValue] = ()) -> Cost:
    """Of a block, which is simplified, as a program. `constant`: arguments that depend on constants alone."""
    canonicalize(block, numerics)
    return estimate_block(block, machine, constant)
