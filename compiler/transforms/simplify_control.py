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
    what every trip computes alike          is computed before, if it takes no more room
    constants that a region is given        are made inside
    one operand twice                       once
    what nobody needs                       goes (`prune_control.py`)

Effects happen as before: as often, and in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from xdsl.dialects.builtin import i1
from xdsl.ir import Block, BlockArgument, Operation, Region, SSAValue

from ...dialects.nd.constant import Constant, Source, full
from ...dialects.nd.control import Control, If, Scan, While, stack_type, yields
from ...dialects.nd.dimmap import DimMap
from ...dialects.nd.dims import size
from ...dialects.nd.mapped import mapped
from ...dialects.nd.movement import Broadcast, Reshape, Reverse, Slice, Transpose, reshape
from ...dialects.nd.op import Array, NdOp, building, expand
from ...dialects.nd.resource import ResourceOp
from ...dialects.nd.types import shape_of, tensor
from ..blocks import clone, has_effects
from .prune_control import is_planned, prune, replaced
from .simplify.patterns import splat

MOVEMENT = (Broadcast, Reshape, Reverse, Slice, Transpose)


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


# Building around an op.


@contextmanager
def before(op: Operation) -> Generator[None]:
    """What is built goes before the op."""
    scratch = Block()
    with building(scratch, op.location):
        yield
    assert op.parent is not None
    for new in list(scratch.ops):
        new.detach()
        op.parent.insert_op_before(new, op)


def stand_for(op: Control, values: Sequence[SSAValue]) -> bool:
    """The values take the place of the results; the op goes."""
    for old, new in zip(op.results, values, strict=True):
        give(old, new)
    op.detach()
    op.drop_all_references()
    return True


def give(old: SSAValue, new: SSAValue) -> None:
    if new.name_hint is None:
        new.name_hint = old.name_hint
    old.replace_all_uses_with(new)


def in_place(op: Control, block: Block, args: Sequence[SSAValue]) -> list[SSAValue]:
    """Move a region's ops before the op; what it yields."""
    for arg, value in zip(block.args, args, strict=True):
        arg.replace_all_uses_with(value)
    out, last = list(yields(block)), block.last_op
    assert op.parent is not None and last is not None
    last.detach()
    last.drop_all_references()
    for inner in list(block.ops):
        inner.detach()
        op.parent.insert_op_before(inner, op)
    return out


def source_like(v: SSAValue) -> Source | None:
    """The op of a value that costs nothing to make again: one number everywhere, an iota, a size."""
    owner = v.owner
    if not isinstance(owner, Source) or isinstance(owner, ResourceOp):
        return None
    return owner if type(owner) is not Constant or owner.splat is not None else None


def same_source(x: SSAValue, y: SSAValue) -> bool:
    a, b = source_like(x), source_like(y)
    return a is not None and b is not None and type(a) is type(b) and a.properties == b.properties


def copy_into(block: Block, op: Operation) -> SSAValue:
    """A copy of an op without operands at the start of a region."""
    new = clone(op, {})
    first = block.first_op
    assert first is not None
    block.insert_op_before(new, first)
    return new.results[0]


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


# Loops.


def no_trips(op: Scan) -> bool:
    if op.length != 0:
        return False
    with before(op):
        stacked = [full(0, r.type).value for r in op.stacked]  # pyright: ignore[reportArgumentType]
    return stand_for(op, [*op.inits, *stacked])


def one_trip(op: Scan) -> bool:
    if op.length != 1:
        return False
    with before(op):
        slices = [reshape(Array(v), shape_of(v.type)[1:]).value for v in op.sequences]
    out = in_place(op, op.body.block, [*op.invariants, *op.inits, *slices])
    count = len(op.inits)
    with before(op):
        stacked = [reshape(Array(v), (1, *shape_of(v.type))).value for v in out[count:]]
    return stand_for(op, [*out[:count], *stacked])


def never(op: While) -> bool:
    """The condition still runs once, for its effects."""
    if splat(yields(op.condition.block)[0]) != 0:
        return False
    if has_effects(op):
        in_place(op, op.condition.block, op.operands)
    return stand_for(op, list(op.inits))


def unchanged_carry(op: Scan | While) -> bool:
    """What every trip yields as it found it, or as its start was."""
    first, body = len(op.invariants), op.body.block
    found: list[int] = []
    for k, (init, y) in enumerate(zip(op.inits, yields(body), strict=False)):
        given = isinstance(y, BlockArgument) and y.index < first and op.invariants[y.index] is init
        same = y is body.args[first + k] or given or same_source(init, y)
        if same and (_read_beside_own(op, k) or op.results[k].first_use is not None):
            found.append(k)
    if not found:
        return False
    for k in found:
        give(op.results[k], op.inits[k])
    as_invariants(op, [first + k for k in found], [op.inits[k] for k in found])
    return True


def _read_beside_own(op: Scan | While, k: int) -> bool:
    """Does a region read the carried value, other than to yield it unchanged?"""
    at = len(op.invariants) + k
    for region in op.regions:
        for use in region.block.args[at].uses:
            if not (region is op.regions[-1] and use.operation is region.block.last_op and use.index == k):
                return True
    return False


def as_invariants(op: Scan | While, numbers: Sequence[int], values: Sequence[SSAValue]) -> None:
    """Arguments become invariants of these values; the old ones have no reader left but their own yield."""
    groups = op.groups
    groups[0] += values
    first = len(op.invariants)
    last = op.body.block.last_op
    for region in op.regions:
        block = region.block
        old = [block.args[n] for n in numbers]
        for k, arg in enumerate(old):
            new = block.insert_arg(arg.type, first + k)
            new.name_hint, new.location = arg.name_hint, arg.location
            for use in list(arg.uses):
                own = use.operation is last and first + use.index == numbers[k] < first + len(op.inits)
                if not own:
                    use.operation.operands[use.index] = new
    replaced(op, groups, [True] * len(op.results))


def equal_slices(op: Scan) -> bool:
    """A sequence of one value everywhere, or one that is a value repeated along the first dimension."""
    first = len(op.operands) - len(op.sequences)
    for k, v in enumerate(op.sequences):
        arg = op.body.block.args[first + k]
        if arg.first_use is None:
            continue
        with before(op):
            repeated = repeated_value(v, arg)
        if repeated is not None:
            as_invariants(op, [first + k], [repeated])
            return True
    return False


def repeated_value(v: SSAValue, arg: BlockArgument) -> SSAValue | None:
    """What each slice of v is, if all are equal."""
    if (number := splat(v)) is not None:
        return full(number, arg.type).value  # pyright: ignore[reportArgumentType]
    owner = v.owner
    if type(owner) is not Broadcast:
        return None
    (source,), out = owner.dims.operands, owner.dims.result
    if out[0] in source:
        return None
    if source == out[1:]:
        return owner.operands[0]
    return mapped(Broadcast, [Array(owner.operands[0])], DimMap((source,), out[1:]), shape_of(arg.type)).value


def plain_stacks(op: Scan) -> bool:
    """Stacked values that are there already: an invariant, a number, the sequence itself, another stack."""
    body, count, first = op.body.block, len(op.inits), len(op.invariants)
    changed = False
    seen: dict[SSAValue, SSAValue] = {}
    for k, y in enumerate(yields(body)[count:]):
        result = op.results[count + k]
        if result.first_use is None:
            continue
        new = seen.setdefault(y, result)
        with before(op):
            if (number := splat(y)) is not None:
                new = full(number, stack_type(y.type, op.length)).value
            elif isinstance(y, BlockArgument) and y.index < first:
                new = expand(Array(op.invariants[y.index]), op.length).value
            elif isinstance(y, BlockArgument) and y.index >= first + count:
                new = op.sequences[y.index - first - count]
        if new is not result:
            give(result, new)
            changed = True
    return changed


def same_every_trip(op: Scan | While) -> bool:
    """Ops of the body that read invariants only; movement moves out for the sake of what reads it."""
    body, first = op.body.block, len(op.invariants)
    fixed: set[SSAValue] = set(body.args[:first])
    worth: list[NdOp] = []
    for inner in body.ops:
        if isinstance(inner, NdOp) and fixed.issuperset(inner.operands):
            fixed.update(inner.results)
            if not isinstance(inner, (Source, *MOVEMENT)) and not _grows(inner):
                worth.append(inner)
    leaves = {w.results[0] for w in worth}
    roots = [w for w in worth if any(not leaves.issuperset(use.operation.results) for use in w.results[0].uses)]
    if not roots:
        return False
    env: dict[SSAValue, SSAValue] = dict(zip(body.args, op.invariants))

    def outside(v: SSAValue) -> SSAValue:
        if v not in env:
            assert isinstance(v.owner, Operation) and op.parent is not None
            for operand in v.owner.operands:
                outside(operand)
            op.parent.insert_op_before(clone(v.owner, env), op)
        return env[v]

    values = [outside(w.results[0]) for w in roots]
    groups = op.groups
    groups[0] += values
    for k, w in enumerate(roots):
        for region in op.regions:
            arg = region.block.insert_arg(w.type, first + k)
            arg.name_hint, arg.location = w.results[0].name_hint, w.location
        w.results[0].replace_all_uses_with(body.args[first + k])
    replaced(op, groups, [True] * len(op.results))
    return True


def _grows(op: NdOp) -> bool:
    """Does it take more room than what it reads?"""
    out = shape_of(op.type)
    if any(shape_of(v.type) == out for v in op.operands):
        return False
    sizes = [size(shape_of(v.type)) for v in (*op.results, *op.operands)]
    numbers = [n for n in sizes if isinstance(n, int)]
    return len(numbers) < len(sizes) or numbers[0] > sum(numbers[1:])


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
