"""Transposition of control flow that is linear in some of its operands.

An if becomes an if of the transposed branches. A scan becomes a scan in the other direction: it carries the cotangents
of what was carried, and sums of the cotangents of invariants; it reads the cotangents of stacked results, and stacks
those of sequences.

    %dc = nd.scan 8 (%dw = %dw) carry (%dc = %d0) each (%k = %ks) { %a = nd.mul %dc, %k  %b = nd.add %a, %dw }
      ->
    %ct0, %ctw = nd.scan 8 reverse carry (%c = %ct, %s = %zero) each (%k = %ks) {
      %s1 = nd.add %s, %c
      %c1 = nd.mul %c, %k
    }
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block, Operation, SSAValue

from ...dialects.errors import CompileError
from ...dialects.nd import control
from ...dialects.nd.checkpoint import Checkpoint
from ...dialects.nd.control import Control, If, Scan
from ...dialects.nd.op import Array, building, insert, place, zeros_like
from ..blocks import clone, terminator
from .control_groups import Tangents, block_of, chosen, ended, filled, sizes, split, spread
from .linearize import Linearized, transpose


def control_transpose(op: Control, cts: Sequence[Array | None], linear: Sequence[bool]) -> Tangents:
    """Emit the transposed op; cotangents of the operands that `linear` names."""
    match op:
        case Checkpoint():
            from .control_checkpoint import transpose_checkpoint

            return transpose_checkpoint(op, cts, linear)
        case If():
            return transpose_if(op, cts, linear)
        case Scan():
            return transpose_scan(op, cts, linear)
        case _:
            raise CompileError(f"{op.name} has no transpose", op.location)


def transpose_block(block: Block, args: Sequence[Array | None], cts: Sequence[Array | None]) -> Tangents:
    """Emit a block backwards: the arguments that are None are linear; their cotangents from those of the results."""
    seeds = Block(arg_types=[b.type for b, a in zip(block.args, args, strict=True) if a is None])
    rest = iter(seeds.args)
    env: dict[SSAValue, SSAValue] = {
        b: next(rest) if a is None else a.value for b, a in zip(block.args, args, strict=True)
    }
    linear: set[SSAValue] = set(seeds.args)
    ops: list[Operation] = []
    last = terminator(block)
    for op in block.ops:
        if op is last:
            break
        new = clone(op, env)
        if linear.isdisjoint(new.operands):
            insert(new)
        else:
            linear.update(new.results)
            ops.append(new)
    ends = [env[v] for v in last.operands]
    tangents = [Array(v) if v in linear else None for v in ends]
    for op in ops:
        op.drop_all_references()
    given = [(t, c) for t, c in zip(tangents, cts, strict=True) if t is not None and c is not None]
    program = Linearized([], [t for t, _ in given], tuple(seeds.args), tuple(ops))
    found = transpose(program, [c for _, c in given])
    return spread_none(found, [a is None for a in args])


def spread_none(found: Sequence[Array | None], flags: Sequence[bool]) -> Tangents:
    rest = iter(found)
    return [next(rest) if f else None for f in flags]


def transpose_if(op: If, cts: Sequence[Array | None], linear: Sequence[bool]) -> Tangents:
    operands = [*map(Array, op.operands)]
    flags = list(linear[1:])
    known = [a for a, f in zip(operands[1:], flags, strict=True) if not f]
    active = [c is not None for c in cts]
    given = [c for c in cts if c is not None]
    halves: list[tuple[Block, Tangents]] = []
    for region in op.regions:
        block = block_of([a.value for a in (*known, *given)])
        with building(block, place().location):
            inner = [*map(Array, block.args)]
            args = spread(inner[: len(known)], [not f for f in flags])
            halves.append((block, transpose_block(region.block, args, spread(inner[len(known) :], active))))
    kept = [any(found[k] is not None for _, found in halves) for k in range(len(flags))]
    then, orelse = (ended(block, lambda found=found: filled(found, kept, operands[1:])) for block, found in halves)
    out = control.if_(operands[0], [*known, *given], then, orelse)
    return [None, *spread(out, kept)]


def transpose_scan(op: Scan, cts: Sequence[Array | None], linear: Sequence[bool]) -> Tangents:
    operands, count = [*map(Array, op.operands)], len(op.inits)
    groups = split(operands, sizes(op))
    flags = split(linear, sizes(op))
    known = [chosen(g, [not f for f in fs]) for g, fs in zip(groups, flags, strict=True)]
    active = [c is not None for c in cts[count:]]
    stacked = [c for c in cts[count:] if c is not None]
    carried = [c if c is not None else zeros_like(a) for c, a in zip(cts[:count], groups[1], strict=True)]
    sums = [zeros_like(a) for a in chosen(groups[0], flags[0])]
    order = [known[0], carried, sums, known[2], stacked]
    whole, pieces = [a.type for g in order[:3] for a in g], [control.slice_type(a.type) for g in order[3:] for a in g]
    block = Block(arg_types=[*whole, *pieces])
    outs: list[bool] = []

    def values() -> list[Array]:
        own, ct, acc, pieces, dpieces = split([*map(Array, block.args)], [len(g) for g in order])
        args: list[Array | None] = [
            *spread(own, [not f for f in flags[0]]),
            *([None] * count),
            *spread(pieces, [not f for f in flags[2]]),
        ]
        found = split(transpose_block(op.body.block, args, [*ct, *spread(dpieces, active)]), sizes(op))
        back = [f if f is not None else zeros_like(c) for f, c in zip(found[1], ct, strict=True)]
        added = [a if f is None else a + f for a, f in zip(acc, chosen(found[0], flags[0]), strict=True)]
        outs.extend(f is not None for f in found[2])
        return [*back, *added, *(f for f in found[2] if f is not None)]

    ended(block, values)
    out = control.scan(op.length, known[0], [*carried, *sums], [*known[2], *stacked], block, not op.reverse)
    results = split(out, [count, len(sums), sum(outs)])
    return [*spread(results[1], flags[0]), *results[0], *spread(results[2], outs)]
