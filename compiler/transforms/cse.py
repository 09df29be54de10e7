"""Merge equal pure ops: same class, operands, properties, attributes and result types.

    %0 = nd.exp %x : tensor<4xf32>            %0 = nd.exp %x : tensor<4xf32>
    %1 = nd.exp %x : tensor<4xf32>      ->    %1 = nd.mul %0, %0 : tensor<4xf32>
    %2 = nd.mul %0, %1 : tensor<4xf32>

An op inside a region may be replaced by an equal one outside of it that comes before, unless the region is isolated;
never the other way round. Control flow without effects is merged if its regions are equal op by op; effects never
are, and merging goes past them. The operands of commutative ops count in either order. The op that stays carries both
places. Barriers are never equal, so that what reads two of them stays apart.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation
from xdsl.passes import ModulePass
from xdsl.traits import IsolatedFromAbove

from ...dialects.nd.checkpoint import Barrier
from ...dialects.nd.control import Control
from ...dialects.nd.elementwise import Add, Mul
from .rewriting import erase, functions, fuse, is_pure

COMMUTATIVE: tuple[type[Operation], ...] = (Add, Mul)
"""Bitwise so; max and min may differ in the sign of zero."""

Seen = dict[Hashable, Operation]


def cse(block: Block) -> list[Operation]:
    """Merge in a block and the regions below it; returns the ops that read another value now, some more than once."""
    return _merge(block, {})


def _merge(block: Block, seen: Seen) -> list[Operation]:
    moved: list[Operation] = []
    op = block.first_op
    while op is not None:
        following = op.next_op
        if op.regions:
            isolated = op.has_trait(IsolatedFromAbove)
            for region in op.regions:
                for inner in region.blocks:
                    moved += _merge(inner, {} if isolated else dict(seen))
        if op.results and (not op.regions or isinstance(op, Control)) and is_pure(op) and not isinstance(op, Barrier):
            key = _key(op)
            if (same := seen.get(key)) is None:
                seen[key] = op
            elif _equal_regions(op, same):
                moved += [use.operation for result in op.results for use in result.uses]
                _replace(op, same)
        op = following
    return moved


def _key(op: Operation) -> Hashable:
    kind = type(op)
    operands = tuple(op.operands)
    if kind in COMMUTATIVE:
        operands = tuple(sorted(operands, key=id))  # compared only, never printed
    types = tuple(r.type for r in op.results)
    return (kind, operands, tuple(op.properties.items()), tuple(op.attributes.items()), types)


def _equal_regions(op: Operation, same: Operation) -> bool:
    return all(a.is_structurally_equivalent(b) for a, b in zip(op.regions, same.regions, strict=True))


def _replace(op: Operation, same: Operation) -> None:
    same.location = fuse([same.location, op.location])
    for old, new in zip(op.results, same.results, strict=True):
        if new.name_hint is None:
            new.name_hint = old.name_hint
        old.replace_all_uses_with(new)
    erase(op)


@dataclass(frozen=True)
class Cse(ModulePass):
    """Merge equal ops."""

    name = "cse"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            for block in func.body.blocks:
                cse(block)
