"""Simplify to a normal form: the rules of `simplify/`, constants of one value, equal ops, dead ops.

    %0 = nd.constant 0.0 : tensor<4x8xf32>
    %1 = nd.transpose %w "a b -> b a" : ...                   %0 = nd.contract %x, %w "a b, c b -> a c" : ...
    %2 = nd.contract %x, %1 "a b, b c -> a c" : ...     ->
    %3 = nd.add %2, %0 : tensor<4x8xf32>

Rules fire up to the level `numerics`: `exact` is bitwise equal; `ieee` keeps the tolerance of the ops wherever no value
is NaN or infinite; `fast` is algebra of finite values (x * 0 -> 0). Values that are the same everywhere are folded
however large they are, and so are reductions of constants; other dense constants are `fold-constants`' work. Regions
are simplified first, then the control flow around them (`simplify_control.py`), until neither changes. Effects stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation
from xdsl.passes import ModulePass

from ...dialects.errors import CompileError
from .cse import cse
from .fold_constants import shrinking_rules, splat_rules
from .rewriting import LEVELS, Rules, by_class, functions, rewrite
from .simplify import REWRITES
from .simplify_control import simplify_control

ROUNDS = 32
"""A round simplifies a level of control flow; more are left for the next run."""


@cache
def rules(numerics: str = "ieee") -> Rules:
    """What canonicalize does at a numerics level, by op class."""
    if numerics not in LEVELS:
        raise CompileError(f"expected numerics to be one of {', '.join(LEVELS)}, found {numerics}")
    return by_class([*splat_rules(), *REWRITES, *shrinking_rules()], numerics)


def canonicalize(block: Block, numerics: str = "ieee") -> int:
    """To a fixed point of a block and the regions below it; returns the number of rewrites."""
    count = 0
    regions = [region for op in block.ops if op.regions for region in op.regions]
    for _ in range(ROUNDS):
        count += sum(canonicalize(inner, numerics) for region in regions for inner in region.blocks)
        count += _straight(block, rules(numerics))
        changed, regions = simplify_control(block)
        if not changed:
            break
    return count


def _straight(block: Block, table: Rules) -> int:
    """Rewriting and merging; merging enables rules that ask whether two operands are one value, so ops that read
    another value now, and their readers, are looked at again."""
    count = rewrite(block, table)
    while start := with_readers(block, cse(block)):
        made = rewrite(block, table, start)
        if not made:
            break
        count += made
    return count


def with_readers(block: Block, ops: Sequence[Operation]) -> list[Operation]:
    """Those ops that are in the block, and their readers there."""
    found = dict.fromkeys(ops)
    for op in list(found):
        for r in op.results:
            for use in r.uses:
                found[use.operation] = None
    return [op for op in found if op.parent is block]


@dataclass(frozen=True)
class Canonicalize(ModulePass):
    """Simplify to a normal form."""

    name = "canonicalize"
    numerics: str = "ieee"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            for block in func.body.blocks:
                canonicalize(block, self.numerics)
