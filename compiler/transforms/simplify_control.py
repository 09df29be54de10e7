"""Simplification of control flow; `canonicalize` alternates it with the rules of straight lines.

    an if of a constant predicate           its branch, in place
    an if of equal branches                 one of them, in place
    inside the branches                     the predicate is known
    the same result from both branches      that value
    a scan of no trips, of one trip         its start; its body, in place
    a while whose condition is false        its start
    a carried value that stays the same     an invariant
    a slice of equal slices                 an invariant
    a stacked invariant, a stacked slice    a broadcast, the sequence
    what every trip, or both branches       is computed before, if it takes no more room (`code_motion.py`)
        compute alike
    constants that a region is given        are made inside
    one operand twice                       once
    what nobody needs                       goes (`prune_control.py`)

Effects happen as before: as often, and in their order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xdsl.dialects.builtin import i1
from xdsl.ir import Block, BlockArgument, Operation, Region, SSAValue

from ...dialects.nd.constant import full
from ...dialects.nd.control import Control, If, Scan, While, yields
from ...dialects.nd.op import building
from ...dialects.nd.types import tensor
from ..blocks import clone
from .code_motion import same_every_trip, same_in_branches
from .control_edits import copy_into, give, in_place, same_source, source_like, stand_for
from .prune_control import is_planned, prune
from .simplify.patterns import splat
from .simplify_loops import equal_slices, never, no_trips, one_trip, plain_stacks, unchanged_carry


def simplify_control(block: Block) -> tuple[bool, list[Region]]:
    """Simplify the control flow of a block, once; did anything change, and which regions are to be looked at again?"""
    changed = False
    again: list[Region] = []
    for op in [op for op in block.ops if isinstance(op, Control)]:
        regions = list(op.regions)
        if _simplify(op):
            changed = True
            again += [r for r in regions if r.parent is not None and r.parent.parent is not None]
    return changed, again


def _simplify(op: Control) -> bool:
    changed = False
    if is_planned(op):
        return False
    for rule in RULES:
        if isinstance(op, rule.ops) and rule.apply(op):
            changed = True
            if op.parent is None:
                return True
    return prune(op) is not op or changed


# if.


def constant_predicate(op: If) -> bool:
    p = splat(op.predicate)
    if p is None:
        return False
    return stand_for(op, in_place(op, (op.then if p else op.orelse).block, op.invariants))


def equal_branches(op: If) -> bool:
    if not op.then.is_structurally_equivalent(op.orelse):
        return False
    return stand_for(op, in_place(op, op.then.block, op.invariants))


def known_predicate(op: If) -> bool:
    """A branch that reads the predicate knows it."""
    changed = False
    for k, v in enumerate(op.invariants):
        if v is op.predicate:
            for region, value in zip(op.regions, (True, False), strict=True):
                arg = region.block.args[k]
                if arg.first_use is not None:
                    scratch = Block()
                    with building(scratch, op.location):
                        known = full(value, tensor((), i1))
                    arg.replace_all_uses_with(copy_into(region.block, known.value.owner))  # pyright: ignore[reportArgumentType]
                    changed = True
    return changed


def equal_results(op: If) -> bool:
    changed = False
    for k, (x, y) in enumerate(zip(yields(op.then.block), yields(op.orelse.block), strict=True)):
        result = op.results[k]
        if result.first_use is None:
            continue
        if isinstance(x, BlockArgument) and isinstance(y, BlockArgument) and x.index == y.index:
            give(result, op.invariants[x.index])
            changed = True
        elif same_source(x, y):
            assert isinstance(x.owner, Operation)
            new = clone(x.owner, {})
            assert op.parent is not None
            op.parent.insert_op_before(new, op)
            give(result, new.results[0])
            changed = True
    return changed


# All.


def constants_inside(op: Control) -> bool:
    """Constants that are invariants are made in the region; it can fold them there."""
    changed = False
    for k, v in enumerate(op.groups[0]):
        source = source_like(v)
        if source is None:
            continue
        for region in op.regions:
            if region.block.args[k].first_use is not None:
                region.block.args[k].replace_all_uses_with(copy_into(region.block, source))
                changed = True
    return changed


def one_operand(op: Control) -> bool:
    """Two invariants, or two sequences, of one value are one."""
    changed = False
    start = 0
    for number, group in enumerate(op.groups):
        if number != 1:
            seen: dict[SSAValue, int] = {}
            for k, v in enumerate(group):
                other = seen.setdefault(v, k)
                for region in op.regions if other != k else ():
                    arg = region.block.args[start + k]
                    changed |= arg.first_use is not None
                    arg.replace_all_uses_with(region.block.args[start + other])
        start += len(group)
    return changed


@dataclass(frozen=True)
class Rule:
    """Changes an op of these classes; did it? An op that is gone has no parent."""

    ops: type[Control] | tuple[type[Control], ...]
    apply: Callable[..., bool]


RULES = (
    Rule(If, constant_predicate),
    Rule(If, equal_branches),
    Rule(If, known_predicate),
    Rule(If, equal_results),
    Rule(If, same_in_branches),
    Rule(Scan, no_trips),
    Rule(Scan, one_trip),
    Rule(While, never),
    Rule((Scan, While), unchanged_carry),
    Rule(Scan, equal_slices),
    Rule(Scan, plain_stacks),
    Rule((Scan, While), same_every_trip),
    Rule(Control, constants_inside),
    Rule(Control, one_operand),
)
