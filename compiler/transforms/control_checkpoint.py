"""Differentiation of `nd.checkpoint`: what the policy does not save is computed again where it is read.

    %y = nd.checkpoint saves nothing (%x = %x0) { %s = nd.sin %x  nd.yield nd.exp %s }
becomes, split for reverse mode, the region itself and one that is linear in the tangents, which computes what it needs,

    %dy = nd.checkpoint saves nothing (%x = %x0, %dx = %dx0) { %s = nd.sin %x  %c = nd.cos %x  ... }
and transposed, where a barrier keeps what is computed again apart from what was computed before,

    %b = nd.barrier %x0
    %ct_x = nd.checkpoint saves nothing (%x = %b, %ct = %ct_y) { %s = nd.sin %x  %c = nd.cos %x  ... }

All three stay checkpoints, so that derivatives of derivatives keep no more. Effects happen once, with the values; what
an op with effects inside of it gives is saved. Random numbers are functions of their keys and come out the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xdsl.ir import Block, Operation, SSAValue

from ...dialects.nd.checkpoint import Checkpoint, Policy, barrier, checkpoint
from ...dialects.nd.constant import Source
from ...dialects.nd.control import Scan
from ...dialects.nd.dims import typical
from ...dialects.nd.op import Array, NdOp, building, insert, place
from ..blocks import clone, has_effects
from .control_groups import Groups, Tangents, block_of, chosen, ended, filled, spread
from .control_jvp import Results, chosen_tangents
from .control_split import Needs, copied, forget, linearized
from .control_transpose import transpose_block
from .jvp import jvp
from .plan_buffers import bytes_of


def jvp_checkpoint(op: Checkpoint, args: Sequence[Array], tangents: Sequence[Array | None]) -> Results:
    groups = Groups([len(args)], [t is not None for t in tangents])
    block = groups.block(op.body.block)
    with building(block, place().location):
        values, seeds = groups.apart([*map(Array, block.args)])
        ys, ts = jvp(op.body.block, values, seeds)
    flags = [t is not None for t in ts]
    ended(block, lambda: [*ys, *chosen_tangents(ts)])
    (joined,) = groups.joined(args, tangents)
    out = checkpoint(joined, block, op.policy)
    return out[: len(flags)], spread(out[len(flags) :], flags)


def split_checkpoint(op: Checkpoint, args: Sequence[Array], tangents: Sequence[Array | None]) -> Results:
    groups = Groups([len(args)], [t is not None for t in tangents])
    known, program = linearized(op.body.block, groups)
    needs = Needs.of(program)
    keep = Keep.of(known, needs.values, op.policy)
    ended(known, lambda: [*program.results, *map(Array, keep.saved)])
    out = checkpoint(args, known, op.policy)
    results, saved = out[: len(op.results)], out[len(op.results) :]
    flags = [t is not None for t in program.tangents]
    if not any(flags):
        forget(program)
        return results, [None] * len(flags)
    inside = [*(known.args[k] for k in keep.read), *keep.saved, *program.seeds]
    given = [*(args[k] for k in keep.read), *saved, *chosen_tangents(tangents)]
    if not keep.again:
        return results, copied(program, needs, dict(zip(inside, (a.value for a in given), strict=True)))
    linear = block_of(inside)
    env: dict[SSAValue, SSAValue] = dict(zip(inside, linear.args, strict=True))

    def values() -> list[Array]:
        for inner in keep.again:
            insert(clone(inner, env))
        return filled(copied(program, needs, env), flags, program.results)

    return results, spread(checkpoint(given, ended(linear, values), op.policy), flags)


@dataclass(frozen=True)
class Keep:
    """How known values of a region are had once more: the arguments that are `read`, by number, the values that are
    `saved`, and the ops that run `again`, in order."""

    read: list[int]
    saved: list[SSAValue]
    again: list[Operation]

    @staticmethod
    def of(known: Block, values: Sequence[SSAValue], policy: Policy) -> Keep:
        if policy.bytes is not None:
            chosen = spared_most(known, values, policy.bytes)
            return Keep.with_saved(known, values, chosen.__contains__)
        return Keep.with_saved(known, values, policy.saves)

    @staticmethod
    def with_saved(known: Block, values: Sequence[SSAValue], saves: Callable[[SSAValue], bool]) -> Keep:
        wanted, saved, again = set(values), list[SSAValue](), list[Operation]()
        for op in reversed(list(known.ops)):
            if wanted.isdisjoint(op.results):
                continue
            if has_effects(op) or (not isinstance(op, Source) and any(map(saves, op.results))):
                saved += [r for r in op.results if r in wanted]
            else:
                again.append(op)
                wanted.update(op.operands)
        return Keep([a.index for a in known.args if a in wanted], saved[::-1], again[::-1])

    def work(self) -> int:
        return sum(map(work_of, self.again))


CANDIDATES = 64
"""The most values that are tried for a place in a number of bytes."""


def spared_most(known: Block, values: Sequence[SSAValue], budget: int) -> set[SSAValue]:
    """What to save within so many bytes: greedily, the value for which the least work a byte is left to do again."""
    chosen: set[SSAValue] = set()
    keep = Keep.with_saved(known, values, chosen.__contains__)
    made = [r for op in keep.again if not isinstance(op, Source) for r in op.results]
    sizes = {r: max(1, typical(bytes_of(r))) for r in made}
    tried = sorted(made, key=lambda r: -work_of(r.op) / sizes[r])[:CANDIDATES]
    while True:
        best: tuple[float, Keep, SSAValue] | None = None
        for v in tried:
            if v in chosen or sizes[v] > budget:
                continue
            other = Keep.with_saved(known, values, lambda r, v=v: r is v or r in chosen)
            worth = (keep.work() - other.work()) / sizes[v]
            if v in other.saved and worth > 0 and (best is None or worth > best[0]):
                best = worth, other, v
        if best is None:
            return chosen
        keep, v = best[1:]
        chosen.add(v)
        budget -= sizes[v]


def work_of(op: Operation) -> int:
    """Operations, of symbolic sizes at typical ones; of a region op those inside."""
    if isinstance(op, NdOp):
        return typical(op.cost().flops)
    trips = typical(op.length) if isinstance(op, Scan) else 1
    return trips * sum(work_of(inner) for region in op.regions for inner in region.block.ops)


def transpose_checkpoint(op: Checkpoint, cts: Sequence[Array | None], linear: Sequence[bool]) -> Tangents:
    operands = [*map(Array, op.operands)]
    known = [_fenced(a) for a in chosen(operands, [not f for f in linear])]
    given, active = [c for c in cts if c is not None], [c is not None for c in cts]
    block = block_of([a.value for a in (*known, *given)])
    with building(block, place().location):
        inner = [*map(Array, block.args)]
        args = spread(inner[: len(known)], [not f for f in linear])
        found = transpose_block(op.body.block, args, spread(inner[len(known) :], active))
    flags = [c is not None for c in found]
    ended(block, lambda: chosen_tangents(found))
    return spread(checkpoint([*known, *given], block, op.policy), flags)


def _fenced(a: Array) -> Array:
    """Behind a barrier, unless it costs nothing to make."""
    return a if isinstance(a.value.owner, Source) else barrier(a)
