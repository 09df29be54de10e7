"""An if or a scan as a known op and a linear op: what `linearize` asks of forward mode (see `control_jvp.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue

from ...dialects.nd import control
from ...dialects.nd.constant import Source, full
from ...dialects.nd.control import If, Scan
from ...dialects.nd.movement import Broadcast
from ...dialects.nd.op import Array, building, insert, place
from ..blocks import alike, clone, has_effects
from .control_groups import Groups, block_of, ended, filled, sizes, split, spread
from .control_jvp import Results, chosen_tangents, grow, with_inits
from .linearize import Linearized, linearize


def _remade(v: SSAValue) -> Operation | None:
    """The op of a value that the linear part makes again rather than keep: constants, and what only repeats."""
    return v.owner if isinstance(v.owner, Source | Broadcast) else None


@dataclass
class Needs:
    """What linear ops read of known ones: `values` are to be handed over, `remade` ops are copied in order."""

    values: list[SSAValue] = field(default_factory=list[SSAValue])
    remade: list[Operation] = field(default_factory=list[Operation])

    @staticmethod
    def of(program: Linearized) -> Needs:
        out = Needs()
        linear = {*program.seeds, *(r for op in program.ops for r in op.results)}
        seen: set[SSAValue] = set()

        def visit(v: SSAValue) -> None:
            if v in linear or v in seen:
                return
            seen.add(v)
            op = _remade(v)
            if op is None:
                out.values.append(v)
                return
            for operand in op.operands:
                visit(operand)
            out.remade.append(op)

        for op in program.ops:
            for v in op.operands:
                visit(v)
        for t in program.tangents:
            if t is not None:
                visit(t.value)
        return out


def copied(program: Linearized, needs: Needs, env: dict[SSAValue, SSAValue]) -> list[Array | None]:
    """Emit the linear ops at the current place; the tangents of the results."""
    for op in (*needs.remade, *program.ops):
        insert(clone(op, env))
    forget(program)
    return [None if t is None else Array(env[t.value]) for t in program.tangents]


def forget(program: Linearized) -> None:
    """What the linear ops read has them as readers no more."""
    for op in program.ops:
        op.drop_all_references()


def linearized(block: Block, groups: Groups) -> tuple[Block, Linearized]:
    """The known part of a region, without end."""
    known = alike(block)
    with building(known, place().location):
        return known, linearize(block, [*map(Array, known.args)], groups.flags)


# if.


def split_if(op: If, args: Sequence[Array], tangents: Sequence[Array | None]) -> Results:
    invariants = list(args[1:])
    groups = Groups([len(invariants)], [t is not None for t in tangents[1:]])
    halves = [linearized(region.block, groups) for region in op.regions]
    needs = [Needs.of(program) for _, program in halves]
    flags = [any(program.tangents[k] is not None for _, program in halves) for k in range(len(op.results))]
    places = Places()
    for half, need in zip(halves, needs, strict=True):
        places.assign([v for v in need.values if v.owner is not half[0]])
    known = [
        ended(block, lambda n=n, p=program: [*p.results, *places.filled(n.values)])
        for (block, program), n in zip(halves, needs, strict=True)
    ]
    count = len(op.results)
    out = control.if_(args[0], invariants, known[0], known[1])
    results, residuals = out[:count], out[count:]
    if not any(flags):
        for _, program in halves:
            forget(program)
        return results, [None] * count
    seeds = chosen_tangents(tangents[1:])
    linear: list[Block] = []
    for (block, program), need in zip(halves, needs, strict=True):
        new = block_of([a.value for a in (*residuals, *invariants, *seeds)])
        inner = split(new.args, [len(residuals), len(invariants), len(seeds)])
        env: dict[SSAValue, SSAValue] = dict(zip(block.args, inner[1], strict=True))
        env.update({v: inner[0][places.number[v]] for v in need.values if v in places.number})
        env.update(zip(program.seeds, inner[2], strict=True))

        def values(p: Linearized = program, n: Needs = need, env: dict[SSAValue, SSAValue] = env) -> list[Array]:
            return filled(copied(p, n, env), flags, p.results)

        linear.append(ended(new, values))
    out = control.if_(args[0], [*residuals, *invariants, *seeds], linear[0], linear[1])
    return results, spread(out, flags)


@dataclass
class Places:
    """Where the residuals of both branches go: those of one type share a place, if they are of different branches."""

    types: list[Attribute] = field(default_factory=list[Attribute])
    number: dict[SSAValue, int] = field(default_factory=dict[SSAValue, int])

    def assign(self, values: Sequence[SSAValue]) -> None:
        free = list(range(len(self.types)))
        for v in values:
            k = next((k for k in free if self.types[k] == v.type), None)
            if k is None:
                k = len(self.types)
                self.types.append(v.type)
            else:
                free.remove(k)
            self.number[v] = k

    def filled(self, values: Sequence[SSAValue]) -> list[Array]:
        """One value for each place, zeros where a branch has none; at the end of its block."""
        own = {self.number[v]: Array(v) for v in values if v in self.number}
        return [own[k] if k in own else full(0, t) for k, t in enumerate(self.types)]  # pyright: ignore[reportArgumentType]


# scan.


def split_scan(op: Scan, args: Sequence[Array], tangents: Sequence[Array | None]) -> Results:
    groups = Groups(sizes(op), [t is not None for t in tangents])
    body, count = op.body.block, len(op.inits)
    while True:
        known, program = linearized(body, groups)
        grown = grow(groups, [t is not None for t in program.tangents])
        if grown == groups:
            break
        groups = grown
    invariants, inits, sequences = split(args, groups.sizes)
    hoisted = _hoist(known, program, invariants)
    invariants = [*invariants, *hoisted]
    needs = Needs.of(program)
    stacked = [v for v in needs.values if not (isinstance(v, BlockArgument) and not _carried(v, groups, len(hoisted)))]
    ended(known, lambda: [*program.results, *map(Array, stacked)])
    out = control.scan(op.length, invariants, inits, sequences, known, op.reverse)
    results, stacks = split(out, [len(op.results), len(stacked)])
    flags = [t is not None for t in program.tangents]
    flags[:count] = groups.flags[groups.sizes[0] :][:count]
    if not any(flags):
        forget(program)
        return results, [None] * len(results)

    outer: dict[SSAValue, Array] = dict(zip(known.args, [*invariants, *inits, *sequences], strict=True))
    outer.update(zip(stacked, stacks, strict=True))
    fixed = [v for v in needs.values if v in outer and v not in stacked and _invariant(v, len(invariants))]
    moving = [v for v in needs.values if v not in fixed]
    _, dinits, _ = (g[n:] for g, n in zip(with_inits(groups, args, tangents), groups.sizes, strict=True))
    given = split(tangents, groups.sizes)
    dinvariants, dsequences = chosen_tangents(given[0]), chosen_tangents(given[2])
    seeds = split(program.seeds, [len(dinvariants), len(dinits), len(dsequences)])
    order = [*fixed, *seeds[0], *seeds[1], *moving, *seeds[2]]
    linear = block_of(order)
    env: dict[SSAValue, SSAValue] = dict(zip(order, linear.args, strict=True))

    def values() -> list[Array]:
        return filled(copied(program, needs, env), flags, program.results)

    ended(linear, values)
    out = control.scan(
        op.length,
        [*(outer[v] for v in fixed), *dinvariants],
        dinits,
        [*(outer[v] for v in moving), *dsequences],
        linear,
        op.reverse,
    )
    return results, spread(out, flags)


def _carried(v: BlockArgument, groups: Groups, hoisted: int) -> bool:
    start = groups.sizes[0] + hoisted
    return start <= v.index < start + groups.sizes[1]


def _invariant(v: SSAValue, count: int) -> bool:
    return isinstance(v, BlockArgument) and v.index < count


def _hoist(known: Block, program: Linearized, invariants: Sequence[Array]) -> list[Array]:
    """Compute residuals that are the same in every trip before the loop; they become invariants of the known body."""
    env: dict[SSAValue, SSAValue] = dict(zip(known.args, (a.value for a in invariants)))
    same: set[SSAValue] = set(known.args[: len(invariants)])
    for op in known.ops:
        if op.results and same.issuperset(op.operands) and not has_effects(op):
            same.update(op.results)
    wanted = [v for v in Needs.of(program).values if v in same and isinstance(v.owner, Operation)]

    def outside(v: SSAValue) -> SSAValue:
        if v not in env:
            assert isinstance(v.owner, Operation)
            for operand in v.owner.operands:
                outside(operand)
            insert(clone(v.owner, env))
        return env[v]

    out = [Array(outside(v)) for v in wanted]
    for k, v in enumerate(wanted):
        arg = known.insert_arg(v.type, len(invariants) + k)
        arg.name_hint = v.name_hint
        v.replace_all_uses_with(arg)
    return out
