"""Forward mode of control flow.

Joint (plain forward mode): one op, in which every region computes values and tangents. What a loop carries gets a
tangent where its start has one, or where a trip gives it one (a fixpoint).

    %c = nd.scan 8 carry (%c = %x) { %c1 = nd.sin %c }
      ->
    %c, %dc = nd.scan 8 carry (%c = %x, %dc = %dx) { %c1 = nd.sin %c  %k = nd.cos %c  %dc1 = nd.mul %dc, %k }

Split (`linearize` asks for it): a known op, which also gives what the linear op reads, and one linear in the tangents.

    %c, %ks = nd.scan 8 carry (%c = %x) { %c1 = nd.sin %c  %k = nd.cos %c  nd.yield %c1, %k }
    %dc = nd.scan 8 carry (%dc = %dx) each (%k = %ks) { %dc1 = nd.mul %dc, %k }

Of an if, each branch gives its own residuals and zeros for the other's; residuals of one type share a place. Of a scan,
residuals of a trip are stacked; those that are the same in every trip are computed before, slices of sequences are
read again, constants and broadcasts are made again. A while has no split: the number of its trips, and with it the
room for residuals, is not known. Effects are in the known op.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block

from ...dialects.errors import CompileError
from ...dialects.nd import control
from ...dialects.nd.checkpoint import Checkpoint
from ...dialects.nd.control import Control, If, Scan, While
from ...dialects.nd.op import Array, building, place
from ..blocks import inline
from .control_groups import Groups, ended, filled, sizes, split, spread
from .jvp import Tangents, jvp

Results = tuple[list[Array], Tangents]


def control_jvp(op: Control, args: Sequence[Array], tangents: Sequence[Array | None], apart: bool) -> Results:
    """Emit the op with its tangents; its results and theirs."""
    from .control_checkpoint import jvp_checkpoint, split_checkpoint
    from .control_split import split_if, split_scan

    match op:
        case Checkpoint():
            return (split_checkpoint if apart else jvp_checkpoint)(op, args, tangents)
        case If():
            return split_if(op, args, tangents) if apart else jvp_if(op, args, tangents)
        case Scan():
            return split_scan(op, args, tangents) if apart else jvp_scan(op, args, tangents)
        case While():
            return jvp_while(op, args, tangents, apart)
        case _:
            raise CompileError(f"jvp: {op.name} has no derivative", op.location)


def jvp_if(op: If, args: Sequence[Array], tangents: Sequence[Array | None]) -> Results:
    invariants, given = args[1:], tangents[1:]
    groups = Groups([len(invariants)], [t is not None for t in given])
    halves: list[tuple[Block, list[Array], Tangents]] = []
    for region in op.regions:
        block = groups.block(region.block)
        with building(block, place().location):
            values, seeds = groups.apart([*map(Array, block.args)])
            halves.append((block, *jvp(region.block, values, seeds)))
    flags = [any(ts[k] is not None for _, _, ts in halves) for k in range(len(op.results))]
    then, orelse = (ended(block, lambda ys=ys, ts=ts: [*ys, *filled(ts, flags, ys)]) for block, ys, ts in halves)
    (joined,) = groups.joined(invariants, given)
    out = control.if_(args[0], joined, then, orelse)
    return out[: len(flags)], spread(out[len(flags) :], flags)


def _carried_types(op: Control, args: Sequence[Array], tangents: Sequence[Array | None]) -> Groups:
    """The groups of a loop, with the flags that the arguments give."""
    return Groups(sizes(op), [t is not None for t in tangents])


def jvp_body(body: Block, groups: Groups) -> tuple[Groups, Block, list[Array], Tangents]:
    """The joint body of a loop, without end, with the flags of what is carried at their fixpoint."""
    while True:
        block = groups.block(body)
        with building(block, place().location):
            values, seeds = groups.apart([*map(Array, block.args)])
            ys, ts = jvp(body, values, seeds)
        grown = grow(groups, [t is not None for t in ts])
        if grown == groups:
            return groups, block, ys, ts
        groups = grown


def grow(groups: Groups, out: Sequence[bool]) -> Groups:
    """The flags where a carried value is flagged if it was, or if the body's result is."""
    before, count = groups.sizes[0], groups.sizes[1]
    flags = list(groups.flags)
    for k in range(count):
        flags[before + k] |= out[k]
    return Groups(groups.sizes, flags)


def with_inits(groups: Groups, values: Sequence[Array], tangents: Sequence[Array | None]) -> list[list[Array]]:
    """The operands in groups; carried values that have a tangent only in the body start with zeros."""
    start, count = groups.sizes[0], groups.sizes[1]
    carried = slice(start, start + count)
    flags = groups.flags[carried]
    given = list(tangents)
    given[carried] = spread(filled(given[carried], flags, values[carried]), flags)
    return groups.joined(values, given)


def jvp_scan(op: Scan, args: Sequence[Array], tangents: Sequence[Array | None]) -> Results:
    groups, block, ys, ts = jvp_body(op.body.block, _carried_types(op, args, tangents))
    count = len(op.inits)
    carried = groups.flags[groups.sizes[0] :][:count]
    stacked = [t is not None for t in ts[count:]]

    def values() -> list[Array]:
        dcarried = filled(ts[:count], carried, ys[:count])
        return [*ys[:count], *dcarried, *ys[count:], *chosen_tangents(ts[count:])]

    ended(block, values)
    invariants, inits, sequences = with_inits(groups, args, tangents)
    out = control.scan(op.length, invariants, inits, sequences, block, op.reverse)
    parts = split(out, [count, sum(carried), len(stacked), sum(stacked)])
    return [*parts[0], *parts[2]], [*spread(parts[1], carried), *spread(parts[3], stacked)]


def chosen_tangents(ts: Sequence[Array | None]) -> list[Array]:
    return [t for t in ts if t is not None]


def jvp_while(op: While, args: Sequence[Array], tangents: Sequence[Array | None], apart: bool) -> Results:
    body, condition = op.body.block, op.condition.block
    groups, block, ys, ts = jvp_body(body, _carried_types(op, args, tangents))
    carried = groups.flags[groups.sizes[0] :]
    if apart and any(carried):
        raise CompileError(
            "reverse mode through nd.while: expected a loop with a known number of trips, found one that ends by a "
            "condition; use mlc.scan, or mlc.fori_loop with bounds that are numbers",
            op.location,
        )
    ended(block, lambda: [*ys, *filled(ts, carried, ys)])
    test = groups.block(condition)
    ended(test, lambda: inline(condition, groups.apart([*map(Array, test.args)])[0]))
    invariants, inits = with_inits(groups, args, tangents)
    out = control.while_(invariants, inits, test, block)
    return out[: len(carried)], spread(out[len(carried) :], carried)
