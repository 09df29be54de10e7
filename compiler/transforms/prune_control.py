"""Take out of control flow what nobody needs: results without readers, and the arguments that only they needed.

    %a, %b = nd.scan 8 (%w = %w0) carry (%c = %x, %d = %y) -> (..) {        %a = nd.scan 8 carry (%c = %x) -> (..) {
      %c1 = nd.sin %c                                                         %c1 = nd.sin %c
      %d1 = nd.mul %d, %w                                             ->      nd.yield %c1
      nd.yield %c1, %d1                                                     }
    }   // nobody reads %b

What a loop carries stays if its last value is read, or if it decides something that stays: another carried value, a
stacked result, the end of a while, an effect. Effects stay.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block, BlockArgument, Operation, Region, SSAValue

from ...dialects.nd.control import Control, If, Scan, While, segments, yields
from ..blocks import has_effects
from .control_groups import chosen, sizes, split


def prune(op: Control) -> Control:
    """The op without what nobody needs; itself if it needs everything. Its regions hold no dead ops."""
    from .dce import dce

    if is_planned(op):
        return op
    kept = needed_results(op)
    if not all(kept):
        for block in result_blocks(op):
            last = block.last_op
            assert last is not None
            last.operands = chosen(last.operands, kept)
        for region in op.regions:
            dce(region.block)
    before = len(op.operands) - len(op.regions[0].block.args)
    used = [any(r.block.args[k].first_use is not None for r in op.regions) for k in range(len(op.operands) - before)]
    if isinstance(op, While | Scan):
        first, count = len(op.invariants), len(op.inits)
        used[first : first + count] = kept[:count]
    if all(kept) and all(used):
        return op
    for region in op.regions:
        block = region.block
        for arg, stays in reversed(list(zip(block.args, used, strict=True))):
            if not stays:
                block.erase_arg(arg)
    groups = [chosen(g, flags) for g, flags in zip(op.groups, split(used, sizes(op)), strict=True)]
    return replaced(op, groups, kept)


def is_planned(op: Control) -> bool:
    """Has the graph level placed its results? Its attributes count them, so it stays as it is."""
    return any(name.startswith("graph.") for name in op.attributes)


def replaced(op: Control, groups: Sequence[Sequence[SSAValue]], kept: Sequence[bool]) -> Control:
    """The op with these operands and the results that are kept; takes its regions and its place."""
    regions: list[Region] = [op.detach_region(0) for _ in op.regions]
    own = segments(*groups) if isinstance(op, While | Scan) else {}
    new = type(op).create(
        operands=[*op.operands[: 1 if isinstance(op, If) else 0], *(v for g in groups for v in g)],
        result_types=[r.type for r in chosen(op.results, kept)],
        properties={**op.properties, **own},
        attributes=op.attributes,
        regions=regions,
        location=op.location,
    )
    assert op.parent is not None
    op.parent.insert_op_before(new, op)
    for old, result in zip(chosen(op.results, kept), new.results, strict=True):
        result.name_hint = old.name_hint
        old.replace_all_uses_with(result)
    op.detach()
    op.drop_all_references()
    return new


def result_blocks(op: Control) -> list[Block]:
    """The regions that yield the results."""
    return [r.block for r in (op.regions if isinstance(op, If) else op.regions[-1:])]


def needed_results(op: Control) -> list[bool]:
    """Which results must be computed."""
    needed = [r.first_use is not None for r in op.results]
    if not isinstance(op, While | Scan) or all(needed):
        return needed
    first, count = len(op.invariants), len(op.inits)
    body = op.body.block
    while True:
        roots = chosen(yields(body), needed)
        reached = read_args(body, roots)
        if isinstance(op, While):
            reached |= read_args(op.condition.block, yields(op.condition.block))
        grown = [n or (k < count and first + k in reached) for k, n in enumerate(needed)]
        if grown == needed:
            return needed
        needed = grown


def read_args(block: Block, roots: Sequence[SSAValue]) -> set[int]:
    """The arguments that these values and the block's effects depend on."""
    needed: set[SSAValue] = set(roots)
    op: Operation | None = block.last_op
    op = op.prev_op if op is not None else None
    while op is not None:
        if not needed.isdisjoint(op.results) or has_effects(op):
            needed.update(op.operands)
        op = op.prev_op
    return {v.index for v in needed if isinstance(v, BlockArgument)}
