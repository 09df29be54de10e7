"""Rules that simplify loops, one op at a time; `simplify_control` says when.

Each takes a scan or a while and says whether it changed it; one that is gone has no parent. Invariants come first among
the arguments of a region, so that a carried value or a slice that turns out to be one moves there (`as_invariants`).
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import BlockArgument, SSAValue

from ...dialects.nd.constant import full
from ...dialects.nd.control import Scan, While, stack_type, yields
from ...dialects.nd.dimmap import DimMap
from ...dialects.nd.mapped import mapped
from ...dialects.nd.movement import Broadcast, reshape
from ...dialects.nd.op import Array, expand
from ...dialects.nd.types import shape_of
from ..blocks import has_effects
from .control_edits import before, give, in_place, same_source, stand_for
from .prune_control import replaced
from .simplify.patterns import splat


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
