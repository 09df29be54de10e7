"""loop-rescale: a loop over blocks of an axis that a softmax needs as a whole, by a running maximum.

Sums of exp(x - max x) are sums of exp(x - r) for any r, times exp(r - max x). Each block takes the greatest value so
far for r; what was summed before is multiplied by exp(old r - new r). So blocks of scores stay in the first cache,
however many keys there are (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xdsl.dialects import arith, func
from xdsl.dialects import math as math_ops
from xdsl.dialects.builtin import AnyFloat, FloatAttr, UnitAttr
from xdsl.ir import Attribute, Block, BlockArgument, Operation, Region, SSAValue

from ....dialects.loop.attributes import CARRY, Axis, Target
from ....dialects.loop.combiners import combine
from ....dialects.loop.linear import Access, Linear, axes_of
from ....dialects.loop.ops import ForOp, StageOp, YieldOp, element_of, shape
from ....dialects.loop.queries import body_of, result_index
from ....dialects.nd.dims import Dim
from .step import LoopStep, chosen, refuse, require_axes
from .structure import dim_names, drop_axis, fused, replace_outside

RESCALED = "loop.rescaled"
"""On a loop: an iteration whose reductions all give their identities leaves what is carried as it is."""

MAXIMA = ("max", "maxnum")
RUNNING, FIRST, SO_FAR, FINAL = "running", "first", "so_far", "rescaled"
"""Labels: the greatest so far, and, behind that of a sum's stage, the sum so far and what it is at the end."""


@dataclass
class Softmax:
    """The stages of a chain by what the running maximum does with them."""

    run: list[StageOp]
    """What is done for each block, in order: scores, their maximum, exponentials, sums."""
    greatest: SSAValue
    shift: SSAValue
    """What is subtracted before the exponential: made of the greatest value alone."""
    exponential: StageOp
    sums: list[SSAValue]
    rows: list[StageOp]
    """What makes `shift`; it goes behind the loop."""


def softmax(step: str, stages: Sequence[StageOp], axis: str) -> Softmax:
    """The parts of neighbouring stages; a refusal if they are no softmax along the axis."""
    run = [s for s in stages if s.extent(axis) is not None]
    reduced: list[tuple[SSAValue, str]] = [
        (r, t.data.mode)
        for s in run
        for r, t in zip(s.results, s.targets.data, strict=True)
        if axis not in axes_of(t.data.access)
    ]
    greatest = [r for r, mode in reduced if mode in MAXIMA]
    exponentials = [(s, t) for s in run if (t := shifted(s)) is not None]
    if len(greatest) != 1 or len(exponentials) != 1 or any(mode not in (*MAXIMA, "add") for _, mode in reduced):
        raise refuse(step, run[0], f"expected one maximum and one exponential along {axis}")
    (exponential, shift), (top,) = exponentials[0], greatest
    sums = [r for r, mode in reduced if mode == "add" and depends(r, exponential)]
    rows = [s for s in stages if shift in s.results and s not in run]
    found = Softmax(run, top, shift, exponential, sums, rows)
    check_rows(step, found)
    check_blocks(step, found, axis)
    return found


def check_rows(step: str, found: Softmax) -> None:
    """What is subtracted belongs to a row and follows from its greatest value alone; each sum has the rows, too."""
    top = owner_of(found.greatest)
    place = top.target(result_index(found.greatest)).access
    read = [a for v, a in found.exponential.reads() if v is found.shift]
    same = found.shift is found.greatest
    for stage in found.rows:
        same = [*stage.ins] == [found.greatest] and stage.reads()[0][1] == stage.target(0).access
        same = same and shape(found.shift) == shape(found.greatest)
    if not same or read != [place] or not isinstance(element_of(found.greatest), AnyFloat):
        raise refuse(step, found.exponential, "expected an exponent less a function of the row's greatest value")
    for value in found.sums:
        if not axes_of(place) <= set(dim_names(value)):
            raise refuse(step, owner_of(value), "expected sums that belong to rows")


def check_blocks(step: str, found: Softmax, axis: str) -> None:
    """Blocks read nothing that only all blocks give, and what they make is read by them alone, but for the sums."""
    at = found.run.index(found.exponential)
    made: list[SSAValue] = [*found.exponential.results]
    late = {found.greatest, found.shift, *found.sums}
    for number, stage in enumerate(found.run):
        if number > at and not linear(stage, made, found.sums):
            raise refuse(step, stage, "expected sums that are proportional to the exponential")
        own = {found.shift} if number == at else set[SSAValue]()
        if any(v in late - own for v in stage.ins):
            raise refuse(step, stage, f"expected a block along {axis} that reads no result of all blocks")
        for result in stage.results:
            kept = result in found.sums or result is found.greatest
            if not kept and any(use.operation not in found.run for use in result.uses):
                raise refuse(step, stage, "expected results that the blocks alone read")


def depends(value: SSAValue, stage: StageOp) -> bool:
    owner = owner_of(value)
    return owner is stage or any(v.owner is stage for v in owner.ins)


def shifted(stage: StageOp) -> SSAValue | None:
    """The value t of a stage all of whose results are exp(x - t), where x does not depend on t."""
    found: set[BlockArgument] = set()
    for value in stage.terminator.operands:
        exp = value.owner
        difference = exp.operands[0].owner if isinstance(exp, math_ops.ExpOp) else None
        t = difference.operands[1] if isinstance(difference, arith.SubfOp) else None
        if not isinstance(t, BlockArgument):
            return None
        found.add(t)
    if len(found) != 1:
        return None
    (t,) = found
    others = any(not isinstance(use.operation, arith.SubfOp) or use.index != 1 for use in t.uses)
    return None if others else stage.ins[t.index]


def linear(stage: StageOp, scaled: Sequence[SSAValue], sums: Sequence[SSAValue]) -> bool:
    """Does a stage add up products with one factor of `scaled`?"""
    if any(r not in sums for r in stage.results):
        return False
    arguments = [a for a, v in zip(stage.body.block.args, stage.ins, strict=True) if v in scaled]
    for value in stage.terminator.operands:
        product = value.owner
        factors = list(product.operands) if isinstance(product, arith.MulfOp) else [value]
        if len(arguments) != 1 or factors.count(arguments[0]) != 1:
            return False
        if any(f is not arguments[0] and not isinstance(f, BlockArgument) for f in factors):
            return False
    return True


Scalars = Callable[[Block], Sequence[SSAValue]]


def over(like: SSAValue) -> Access:
    """Every element of a value, by the axes of its producer."""
    return tuple(Linear.axis(n) if e != 1 else Linear() for n, e in zip(dim_names(like), shape(like)))


def stage_over(
    like: SSAValue, label: str, reads: Sequence[tuple[SSAValue, Access]], count: int, build: Scalars, at: Operation
) -> StageOp:
    """A stage over all elements of a value, whose results lie as it does."""
    axes = [Axis(n, e) for n, e in zip(dim_names(like), shape(like)) if e != 1]
    body = body_of([element_of(v) for v, _ in reads], build, at.location)
    return StageOp.make(label, axes, reads, [Target("", over(like))] * count, body, at.location)


def added(block: Block, op: Operation) -> SSAValue:
    block.add_op(op)
    return op.results[0]


def number(block: Block, x: float, kind: Attribute) -> SSAValue:
    assert isinstance(kind, AnyFloat)
    return added(block, arith.ConstantOp(FloatAttr(x, kind)))


def first_value(like: SSAValue, label: str, x: float, at: Operation) -> StageOp:
    return stage_over(like, label, [], 1, lambda body: [number(body, x, element_of(like))], at)


def running(old: SSAValue, new: SSAValue, at: Operation) -> StageOp:
    """The greatest value so far; what is subtracted (0 as long as all is -inf); the factor of what is summed so far."""
    kind, mode = element_of(new), owner_of(new).target(result_index(new)).mode

    def build(body: Block) -> list[SSAValue]:
        none, zero = number(body, -math.inf, kind), number(body, 0.0, kind)
        top = added(body, combine(mode, body.args[0], body.args[1]))
        shift = added(body, arith.SelectOp(added(body, arith.CmpfOp(top, none, "oeq")), zero, top))
        factor = added(body, math_ops.ExpOp(added(body, arith.SubfOp(body.args[0], shift))))
        first = added(body, arith.CmpfOp(body.args[0], none, "oeq"))
        return [top, shift, added(body, arith.SelectOp(first, zero, factor))]

    return stage_over(new, RUNNING, [(old, over(new)), (new, over(new))], 3, build, at)


def last_factor(greatest: SSAValue, shift: SSAValue, at: Operation) -> StageOp:
    """exp(r - t): from what the last block subtracted to what the program subtracts."""

    def build(body: Block) -> list[SSAValue]:
        return [added(body, math_ops.ExpOp(added(body, arith.SubfOp(body.args[0], body.args[1]))))]

    reads = [(v, over(greatest)) for v in (greatest, shift)]
    return stage_over(greatest, f"{RUNNING}_{FINAL}", reads, 1, build, at)


def multiplied(value: SSAValue, factor: SSAValue, more: SSAValue | None, label: str, at: Operation) -> StageOp:
    """value * factor (+ more), where a factor belongs to a row."""
    like = value if more is None else more
    row = over(factor)

    def build(body: Block) -> list[SSAValue]:
        product = added(body, arith.MulfOp(body.args[0], body.args[1]))
        return [product if more is None else added(body, arith.AddfOp(product, body.args[2]))]

    reads = [(value, over(like)), (factor, row), *([(more, over(like))] if more is not None else [])]
    return stage_over(like, label, reads, 1, build, at)


def localized(run: Sequence[StageOp], axis: str) -> None:
    """Take an axis out of the domains: what the stages read of each other is of one block."""
    inner = {r for s in run for r in s.results}
    for stage in run:
        drop_axis(stage, axis)
        stage.set_reads([tuple(f.without([axis]) for f in a) if v in inner else a for v, a in stage.reads()])
        stage.set_targets(
            [t.data._replace(access=tuple(f.without([axis]) for f in t.data.access)) for t in stage.targets.data]
        )
        stage.retype()


def rescale(found: Softmax, axis: str, extent: Dim) -> None:
    """Put the loop around the blocks, and behind it what follows from its results."""
    run, home, location = found.run, found.run[0].parent, fused(found.run)
    assert home is not None
    results = [found.greatest, *found.sums]
    late = following(run)
    localized(run, axis)
    labels = [label_of(v) for v in results]
    firsts = [-math.inf, *(0.0 for _ in found.sums)]
    inits = [first_value(v, f"{label}_{FIRST}", x, run[0]) for v, label, x in zip(results, labels, firsts, strict=True)]
    home.insert_ops_before(inits, run[0])
    after = run[-1].next_op
    assert after is not None
    block = Block(arg_types=[v.type for v in results])
    for stage in run:
        stage.detach()
        block.add_op(stage)
    top = running(block.args[0], found.greatest, run[0])
    block.insert_op_after(top, owner_of(found.greatest))
    place = found.exponential.ins.index(found.shift)
    found.exponential.operands[place] = top.results[1]
    kept = [top.results[0]]
    for arg, value, label in zip(block.args[1:], found.sums, labels[1:], strict=True):
        update = multiplied(arg, top.results[2], value, f"{label}_{SO_FAR}", owner_of(value))
        block.insert_op_after(update, owner_of(value))
        kept.append(update.results[0])
    block.add_op(YieldOp.create(operands=kept, location=location))
    targets = [Target(CARRY, (Linear(),) * len(shape(v))) for v in results]
    loop = ForOp.make(axis, extent, 1, False, "", targets, Region(block), [i.results[0] for i in inits], location)
    loop.attributes[RESCALED] = UnitAttr()
    home.insert_ops_before([loop], after)
    finish(found, loop, labels, late, after)


def finish(found: Softmax, loop: ForOp, labels: Sequence[str], late: Sequence[Operation], after: Operation) -> None:
    """What is subtracted at the end, the sums that belong to it, and what reads them."""
    home = loop.parent
    assert home is not None
    for op in late:
        op.detach()
    replace_outside([found.greatest], [loop.results[0]], loop)
    home.insert_ops_before(found.rows, after)
    shift = loop.results[0] if found.shift is found.greatest else found.shift
    factor = last_factor(loop.results[0], shift, found.exponential)
    totals = [
        multiplied(r, factor.results[0], None, f"{label}_{FINAL}", owner_of(v))
        for r, v, label in zip(loop.results[1:], found.sums, labels[1:], strict=True)
    ]
    home.insert_ops_before([factor, *totals, *(op for op in late if op not in found.rows)], after)
    replace_outside(found.sums, [t.results[0] for t in totals], loop)


def following(run: Sequence[StageOp]) -> list[Operation]:
    """What stands between the stages and reads of them, directly or not."""
    made, found = {r for s in run for r in s.results}, list[Operation]()
    op = run[0].next_op
    while op is not None and op is not run[-1].next_op:
        if op not in run and any(v in made for inner in op.walk() for v in inner.operands):
            found.append(op)
            made.update(op.results)
        op = op.next_op
    return found


def owner_of(value: SSAValue) -> StageOp:
    assert isinstance(value.owner, StageOp)
    return value.owner


def label_of(value: SSAValue) -> str:
    return owner_of(value).label.data


@dataclass(frozen=True)
class LoopRescale(LoopStep):
    """Make an axis over blocks of keys a loop that carries the greatest score, and sums, rescaled when it grows.

        %m = loop.stage max [i: 8, b: 4, k: 64] (%X[i, 64 * b + k]) -> max [i] {..}
        %e, %s = loop.stage exp [i: 8, b: 4, k: 64] (%X[i, 64 * b + k], %m[i]) -> [i, 64 * b + k], add [i] {..}
        %y = loop.stage mm [i: 8, l: 4, b: 4, k: 64] (%e[i, 64 * b + k], %V[64 * b + k, l]) -> add [i, l] {..}
    becomes, with axis=b,
        %m, %s, %y = loop.for b = 4 with (%m0 = -inf, %s0 = 0, %y0 = 0) -> carry [0], carry [0], carry [0, 0] {
          %n = loop.stage max [i: 8, k: 64] (%X[i, 64 * b + k]) -> max [i] {..}
          %m1, %r, %c = loop.stage running [i: 8] (%m0[i], %n[i]) -> [i], [i], [i] {..}
          %e, %p = loop.stage exp [i: 8, k: 64] (%X[i, 64 * b + k], %r[i]) -> [i, k], add [i] {..}
          %s1 = loop.stage exp_so_far [i: 8] (%s0[i], %c[i], %p[i]) -> [i] {..}
          ..
    """

    name = "loop-rescale"

    axis: str
    only: tuple[str, ...] = ()

    def on(self, f: func.FuncOp) -> None:
        require_axes(self.name, f, [self.axis], self.only)
        stages = chosen(self.name, f, self.only)
        if any(s.parent is not stages[0].parent for s in stages):
            raise refuse(self.name, stages[0], "expected neighbouring stages in one block")
        found = softmax(self.name, stages, self.axis)
        extent = found.run[0].extent(self.axis)
        assert extent is not None
        rescale(found, self.axis, extent)
