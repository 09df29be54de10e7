"""What the steps share: runs of statements that may share a loop, moving an axis out of a run, cutting a run in two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import cast

from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, FusedLoc, LocationAttr, NoneAttr, UnknownLoc
from xdsl.ir import Block, Operation, Region, SSAValue

from ....dialects.loop.attributes import Axis, Target
from ....dialects.loop.combiners import combine
from ....dialects.loop.linear import Access, Linear, coefs
from ....dialects.loop.ops import ForOp, JoinOp, Scoped, StageOp, YieldOp, element_of, shape
from ....dialects.loop.queries import (
    axis_coefs,
    body_of,
    combiner_of,
    enclosing,
    loop_ops,
    members,
    result_index,
    stages,
)
from ....dialects.nd.dims import Dim
from .step import refuse

Run = list[Operation]

REST = "_rest"
"""The end of the label of what combines a reduction with that of its ragged end."""


def all_members(run: Run) -> list[StageOp]:
    return [s for op in run for s in members(op)]


def produced(run: Run) -> set[SSAValue]:
    """Every value that is made inside of a run, carried ones among them."""
    return made_by(op for top in run for op in loop_ops(top))


def made_by(ops: Iterable[Operation]) -> set[SSAValue]:
    """The results of all ops, and the values that the loops among them carry."""
    made: set[SSAValue] = set()
    for op in ops:
        made.update(op.results)
        if isinstance(op, ForOp):
            made.update(op.body.block.args)
    return made


def fusable(run: Run, axis: str) -> bool:
    """May one loop over `axis` go around the run?

    One extent, and what the run reads of itself comes from the same iteration. Values are pure: nothing else can go
    wrong.
    """
    ops = [op for top in run for op in loop_ops(top)]
    found = [op for op in ops if isinstance(op, StageOp)]
    if len({s.extent(axis) for s in found}) > 1:
        return False
    inner = made_by(ops)
    if any(v not in inner for op in ops if isinstance(op, ForOp) for v in op.inits):
        return False
    for stage in found:
        for value, access in stage.reads():
            if value in inner:
                spread = axis_coefs(value, axis)
                if not any(spread) or spread != coefs(access, axis):
                    return False
    return True


def runs(f: Operation, axis: str, only: Sequence[str] = (), through: Sequence[str] = ()) -> list[Run]:
    """Maximal runs of neighbours that may share a loop over `axis`; `through` names loops that may stand in a run.

    A loop that carries values is a statement like a stage: it may stand in a run with what makes its first values.
    """

    def has(op: Operation) -> bool:
        if isinstance(op, ForOp):
            if op.axis.data not in through and not op.inits:
                return False
            if not all(isinstance(inner, ForOp | StageOp | YieldOp) for inner in loop_ops(op)):
                return False
        elif not isinstance(op, StageOp):
            return False
        found = members(op)
        return bool(found) and all(s.extent(axis) is not None and (not only or s.label.data in only) for s in found)

    result: list[Run] = []

    def scan(block: Block) -> None:
        for op in block.ops:
            inside = has(op)
            if inside and result and result[-1][-1].next_op is op and fusable([*result[-1], op], axis):
                result[-1].append(op)
            elif inside and fusable([op], axis):
                result.append([op])
            elif not isinstance(op, StageOp):
                for region in op.regions:
                    scan(region.block)

    for region in f.regions:
        scan(region.block)
    return result


def extent_of(run: Run, axis: str) -> Dim:
    extent = members(run[0])[0].extent(axis)
    assert extent is not None
    return extent


def may_repeat(run: Run, axis: str) -> bool:
    """Points of the axis may be computed twice: every result is spread over it."""
    return all(any(axis_coefs(r, axis)) for s in all_members(run) for r in s.results)


def inner_part(run: Run, axis: str) -> tuple[StageOp, Linear] | None:
    """A stage and a result index that counts the axis within another: `8 * i0 + i` has gaps without all of i."""
    for stage in all_members(run):
        for form in (form for t in stage.targets.data for form in t.data.access):
            own = form.coef(axis)
            if own and any(c > own and stage.extent(n) != 1 for n, c in form.terms):
                return stage, form
    for loop in (op for top in run for op in loop_ops(top) if isinstance(op, ForOp)):
        for k, value in enumerate(loop.terminator.operands):
            for form, own in zip(loop.target(k).access, axis_coefs(value, axis)):
                if own and form.terms:
                    return members(loop)[0], form + Linear.axis(axis, own)
    return None


def may_clamp(op: Operation) -> bool:
    """May tiles of the function overlap? Not where a result overwrites an argument that a repeated tile would read."""
    parent: Operation | None = op
    while parent is not None and not isinstance(parent, func.FuncOp):
        parent = parent.parent_op()
    attributes = parent.arg_attrs if parent is not None else None
    return attributes is None or not any("mlc.inplace" in d.data for d in attributes)


def fresh(run: Run, axis: str) -> str:
    """A name for a loop over tiles of `axis`: `i0`, `i1`, .. whichever is free around and inside of the run."""
    used = {a.name for s in all_members(run) for a in s.axes} | {f.axis.data for f in enclosing(run[0])}
    used |= {f.axis.data for top in run for f in loop_ops(top) if isinstance(f, ForOp)}
    return next(name for i in count() if (name := f"{axis}{i}") not in used)


def external(run: Run) -> list[SSAValue]:
    """Results of the run's ops that are used outside of it."""
    tops, home = set(run), run[0].parent

    def outside(user: Operation) -> bool:
        op: Operation | None = user
        while op is not None and op.parent is not home:
            op = op.parent_op()
        return op not in tops

    return [r for op in run for r in op.results if any(outside(u.operation) for u in r.uses)]


def substitute(run: Run, by: Mapping[str, Linear], inside: bool = True) -> None:
    """Replace axes in reads, coordinates and result accesses.

    `inside=False` leaves what the run reads of itself and its results alone.
    """
    inner: set[SSAValue] = set() if inside else produced(run)
    for stage in all_members(run):
        stage.set_reads([a if v in inner else tuple(f.subst(by) for f in a) for v, a in stage.reads()])
        for op in stage.index_ops():
            op.set_linear(op.linear.subst(by))
        if inside:
            stage.set_targets(
                [t.data._replace(access=tuple(f.subst(by) for f in t.data.access)) for t in stage.targets.data]
            )


def set_extent(run: Run, axis: str, extent: Dim) -> None:
    for stage in all_members(run):
        stage.set_axes([a._replace(extent=extent) if a.name == axis else a for a in stage.axes])
    retype(run)


def drop_axis(stage: StageOp, axis: str) -> None:
    stage.set_axes([a for a in stage.axes if a.name != axis])


def retype(run: Run) -> None:
    """Result types of all ops of a run again, inner ones first."""
    for top in run:
        for op in reversed(loop_ops(top)):
            if isinstance(op, StageOp | ForOp):
                op.retype()


def fused(ops: Iterable[Operation]) -> LocationAttr:
    """One location for what several ops became."""
    parts: list[LocationAttr] = []
    for op in ops:
        location = op.location
        inner = cast(ArrayAttr[LocationAttr], location.locations).data if isinstance(location, FusedLoc) else ()
        parts += inner or [location]
    known = [p for p in dict.fromkeys(parts) if not isinstance(p, UnknownLoc)]
    if not known:
        return UnknownLoc()
    return known[0] if len(known) == 1 else FusedLoc(tuple(known), NoneAttr())


def loop_around(run: Run, axis: str, extent: Dim, step: int, clamp: bool, kind: str) -> ForOp:
    """Move `axis` out of the domains of a run into a loop around it: each iteration computes one tile of the results.

        %Y = loop.stage f [i0: 4, i: 8] (%x = %X[8 * i0 + i]) -> [8 * i0 + i] {..}
    becomes
        %Y = loop.for i0 = 4 -> [8 * i0] { %y = loop.stage f [i: 8] (%x = %X[8 * i0 + i]) -> [i] {..} loop.yield %y }
    """
    results, inner = external(run), produced(run)
    targets: list[Target] = []
    for value in results:
        spread = axis_coefs(value, axis)
        owner = value.owner
        assert isinstance(owner, Scoped)
        mode = "" if any(spread) else combiner_of(value)
        stream = owner.target(result_index(value)).stream
        targets.append(Target(mode, tuple(Linear.axis(axis, c) for c in spread), stream))
    for stage in all_members(run):
        drop_axis(stage, axis)
        stage.set_reads([tuple(f.without([axis]) for f in a) if v in inner else a for v, a in stage.reads()])
        local = [t.data._replace(access=tuple(f.without([axis]) for f in t.data.access)) for t in stage.targets.data]
        stage.set_targets(local)
    block, parent, after = Block(), run[0].parent, run[-1].next_op
    assert parent is not None and after is not None
    location = fused(run)
    for op in run:
        op.detach()
        block.add_op(op)
    retype(run)
    block.add_op(YieldOp.create(operands=results, location=location))
    loop = ForOp.make(axis, extent, step, clamp, kind, targets, Region(block), location=location)
    parent.insert_ops_before([loop], after)
    replace_outside(results, list(loop.results), loop)
    return loop


def replace_outside(old: Sequence[SSAValue], new: Sequence[SSAValue], wrapper: Operation) -> None:
    """Uses of `old` outside of `wrapper` become uses of `new`."""
    for before, after in zip(old, new):
        after.name_hint = before.name_hint
        for use in list(before.uses):
            if not wrapper.is_ancestor(use.operation):
                use.operation.operands[use.index] = after


def copy_run(run: Run) -> tuple[Run, dict[SSAValue, SSAValue]]:
    mapping: dict[SSAValue, SSAValue] = {}
    return [op.clone(mapping) for op in run], mapping


def cut(run: Run, axis: str, at: Dim, extent: Dim) -> tuple[Run, Run]:
    """Two copies of a run for [0, at) and [at, extent); pieces are joined, partial reductions combined by a stage."""
    results, last = external(run), run[-1]
    home = last.parent
    assert home is not None
    second, mapping = copy_run(run)
    substitute(second, {axis: Linear.axis(axis) + Linear(at)}, inside=False)
    types = [r.type for r in results]
    home.insert_ops_after(second, last)
    set_extent(run, axis, at)
    set_extent(second, axis, extent - at)
    tail: list[Operation] = []
    for value, whole in zip(results, types):
        spread, other = axis_coefs(value, axis), mapping[value]
        if any(spread):
            zero = tuple(Linear() for _ in spread)
            beyond = tuple(Linear(at * c) for c in spread)
            both: Operation = JoinOp.make([(value, zero), (other, beyond)], whole, fused(run))
        else:
            both = combine_stage(value, other, combiner_of(value))
        tail.append(both)
        keep = {both, *second}
        both.results[0].name_hint = value.name_hint
        for use in list(value.uses):
            if use.operation not in keep and not any(op.is_ancestor(use.operation) for op in run):
                use.operation.operands[use.index] = both.results[0]
    home.insert_ops_after(tail, second[-1])
    return run, second


def dim_names(value: SSAValue) -> list[str]:
    """Axis names for the dimensions of a value: its producer's where they are single axes."""
    op = value.owner
    if isinstance(op, ForOp):
        return dim_names(op.terminator.operands[result_index(value)])
    rank = len(shape(value))
    access: Access = op.target(result_index(value)).access if isinstance(op, StageOp) else (Linear(),) * rank
    names = [form.terms[0][0] if len(form.terms) == 1 else f"r{d}" for d, form in enumerate(access)]
    return names if len(set(names)) == rank else [f"r{d}" for d in range(rank)]


def combine_stage(a: SSAValue, b: SSAValue, mode: str) -> StageOp:
    """The elementwise combination of two values of one shape."""
    axes = [Axis(n, e) for n, e in zip(dim_names(a), shape(a))]
    access: Access = tuple(Linear.axis(x.name) for x in axes)
    element, producer = element_of(a), a.owner
    assert isinstance(producer, Operation)
    location = producer.location

    def build(block: Block) -> list[SSAValue]:
        op = combine(mode, block.args[0], block.args[1], location)
        block.add_op(op)
        return list(op.results)

    made = producer
    while isinstance(made, ForOp):
        inner = made.terminator.operands[0].owner
        assert isinstance(inner, Operation)
        made = inner
    label = f"{made.label.data}{REST}" if isinstance(made, StageOp) else "rest"
    body = body_of([element, element], build, location)
    return StageOp.make(label, axes, [(a, access), (b, access)], [Target("", access)], body, location)


def remove_dead(f: Operation) -> None:
    """Erase stages that nothing uses, users before producers."""
    for op in reversed(stages(f)):
        if not any(r.first_use is not None for r in op.results):
            op.detach()
            op.erase()


def require_outermost(step: str, run: Run, axis: str) -> None:
    """The axis may leave the domains of a run: no result counts it within another axis."""
    if (found := inner_part(run, axis)) is not None:
        stage, form = found
        outer = max(form.terms, key=lambda t: t[1])[0]
        raise refuse(step, stage, f"expected axis {axis} to be the outermost of result index {form}, found {outer}")
