"""loop-skip: end loops where all that follows is masked.

Which points are masked follows from the bodies: a comparison of affine indices is false from some index on, a `select`
gives a constant there, and what reads that constant gives one, too: -inf, exp(-inf - t) = 0, 0 * v = 0. An iteration
that combines what the combiner's identity is does nothing; one that places a constant is left out with all readers.
Arithmetic is that of finite numbers: 0 * v is 0 and -inf + x is -inf.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.ir import BlockArgument, Operation, SSAValue

from ....dialects.loop.attributes import CARRY, AccessAttr
from ....dialects.loop.combiners import identity
from ....dialects.loop.gaps import gap, is_there, passes_on
from ....dialects.loop.linear import Linear
from ....dialects.loop.ops import ForOp, StageOp, element_of
from ....dialects.loop.queries import axis_coefs, combiner_of, members, result_index, stages
from ....dialects.nd.dims import Dim
from .masks import Edge, Known, evaluated
from .rescale import RESCALED
from .step import LoopStep, chosen


@dataclass(frozen=True)
class Masked:
    """The elements of dimension `dim` from `limit` on are `constant`."""

    dim: int
    limit: Linear
    constant: float


class Skipping:
    """What is known of the values of a function."""

    def __init__(self) -> None:
        self.masked: dict[SSAValue, Masked] = {}

    def visit(self, block_ops: Sequence[Operation], only: Sequence[str]) -> None:
        for op in block_ops:
            if not isinstance(op, ForOp):
                continue
            found = self.ending(op) if all(s.label.data in only for s in members(op)) else None
            self.visit(list(op.body.block.ops), only)
            self.pass_on(op)
            if found is None:
                continue
            edge, constants = found
            fall = edge.form.coef(op.axis.data)
            bound = edge.limit + Linear.axis(op.axis.data, -fall)
            op.properties["bound"] = AccessAttr((bound,))
            for k, constant in enumerate(constants):
                self.note(op, k, edge, constant)

    def ending(self, loop: ForOp) -> tuple[Edge, list[float]] | None:
        """From where on iterations of a loop give nothing new, and what they would give."""
        carries = any(t.data.mode == CARRY for t in loop.targets.data)
        if loop.kind.data or loop.while_positive is not None or (carries and RESCALED not in loop.attributes):
            return None
        inside = axes_inside(loop)
        if inside is None:
            return None
        for edge in dict.fromkeys(e for s in members(loop) for e in self.edges(s, inside)):
            if edge.form.coef(loop.axis.data) > 0:
                known: dict[SSAValue, float] = {}
                made = self.results(loop, edge, known, inside)
                if carries and all(unchanged(s, loop, known) for s in members(loop)):
                    return edge, []
                if all(x is not None for x in made):
                    return edge, [x for x in made if x is not None]
        return None

    def edges(self, stage: StageOp, inside: dict[str, Dim]) -> list[Edge]:
        """Where something that a stage computes or reads becomes constant."""
        read = [e for k in range(len(stage.ins)) if (e := self.read_edge(stage, k, inside)) is not None]
        compares = any(op.name == "arith.cmpi" for op in stage.body.block.ops)
        return [*read, *(evaluated(stage, None, {}, inside).edges if compares else [])]

    def read_edge(self, stage: StageOp, operand: int, inside: dict[str, Dim]) -> Edge | None:
        value, access = stage.reads()[operand]
        known = self.masked.get(value)
        if known is None:
            return None
        return Edge.from_below(access[known.dim] + known.limit.scaled(-1), inside)

    def results(
        self, loop: ForOp, edge: Edge, made: dict[SSAValue, float], inside: dict[str, Dim]
    ) -> list[float | None]:
        """What a loop's iterations give beyond an edge: constants to place, or what changes no combination; `made`
        gets what its ops give."""
        for op in loop.body.block.ops:
            if isinstance(op, StageOp):
                given = self.stage_results(op, edge, made, inside)
            elif isinstance(op, ForOp):
                given = self.results(op, edge, made, inside)
            else:
                continue
            made.update((r, x) for r, x in zip(op.results, given) if x is not None)
        yielded = [made.get(v) for v in loop.terminator.operands]
        return [neutral(loop, k, x) for k, x in enumerate(yielded)]

    def stage_results(
        self, stage: StageOp, edge: Edge, made: dict[SSAValue, float], inside: dict[str, Dim]
    ) -> list[float | None]:
        arguments: dict[SSAValue, Known] = {}
        for k, (value, arg) in enumerate(zip(stage.ins, stage.body.block.args)):
            own = self.read_edge(stage, k, inside)
            if value in made:
                arguments[arg] = made[value]
            elif own is not None and edge.implies(own):
                arguments[arg] = self.masked[value].constant
        values = evaluated(stage, edge, arguments, inside).values
        yielded = [values.get(v) for v in stage.terminator.operands]
        return [neutral(stage, k, float(x) if x is not None else None) for k, x in enumerate(yielded)]

    def note(self, loop: ForOp, k: int, edge: Edge, constant: float) -> None:
        """Remember from where on a placed result would be constant, if its elements are counted as the edge does."""
        target, value = loop.target(k), loop.terminator.operands[k]
        if target.mode:
            return
        dim = next(d for d, form in enumerate(target.access) if form.terms)
        names = edge.form.names | {a.name for s in members(loop) for a in s.axes}
        counted = {n: axis_coefs(value, n)[dim] for n in names - {loop.axis.data}}
        counted[loop.axis.data] = target.access[dim].coef(loop.axis.data)
        if all(edge.form.coef(n) == c for n, c in counted.items()):
            self.masked[loop.results[k]] = Masked(dim, edge.limit, constant)

    def pass_on(self, loop: ForOp) -> None:
        """What is masked in every iteration is so in what the loop places."""
        axis = loop.axis.data
        for k, value in enumerate(loop.terminator.operands):
            known, target = self.masked.get(value), loop.target(k)
            if known is not None and not target.mode and not target.access[known.dim].terms:
                most = Linear(max(known.limit.coef(axis), 0) * (loop.extent.data - loop.stride))
                self.masked[loop.results[k]] = Masked(known.dim, known.limit.without([axis]) + most, known.constant)


def axes_inside(loop: ForOp) -> dict[str, Dim] | None:
    """The axes that a loop and what is in it bind, with one more than their greatest value; None: something else."""
    found: dict[str, Dim] = {}
    for op in loop.walk():
        if isinstance(op, ForOp):
            if op.inits and RESCALED not in op.attributes:
                return None
            found[op.axis.data] = op.extent.data - op.stride + 1
        elif isinstance(op, StageOp):
            found.update((a.name, a.extent) for a in op.axes)
    return found


def unchanged(stage: StageOp, loop: ForOp, made: Mapping[SSAValue, float]) -> bool:
    """Does a stage that reads what the loop carries read only identities of the reductions in it?"""
    if not any(v in loop.body.block.args for v in stage.ins):
        return True
    reduced = [v for v in stage.ins if not isinstance(v, BlockArgument) and combiner_of(v)]
    return all(v in made for v in reduced)


def neutral(op: StageOp | ForOp, k: int, given: float | None) -> float | None:
    """What a result is if every point gives the same: a combination only of its identity."""
    mode = op.target(k).mode
    if given is None or not mode:
        return given
    none = identity(mode, element_of(op.results[k]))
    same = given == none and math.copysign(1.0, given) == math.copysign(1.0, none)
    return given if same else None


def withdraw(f: func.FuncOp) -> None:
    """Let those loops run to their end again of whose results someone reads what is not there."""
    changed = True
    while changed:
        changed = False
        wrong = {v for s in stages(f) for v, access in s.reads() if not is_there(s, v, access)}
        for loop in [op for op in f.walk() if isinstance(op, ForOp)]:
            wrong |= {r for r in loop.results if gap(r) is not None and not passes_on(r)}
        for value in wrong:
            while isinstance(loop := value.owner, ForOp):
                at = result_index(value)
                if loop.while_positive is not None and not loop.target(at).mode:
                    del loop.properties["bound"]
                    changed = True
                    break
                value = loop.terminator.operands[at]


@dataclass(frozen=True)
class LoopSkip(LoopStep):
    """End the loops around the named stages where all points that follow are masked.

        %s = loop.for k0 = 512 step 32 -> [0, k0] {
          %m = loop.stage mask [i: 8, k: 32] (%x = %X[i + i0, k + k0]) -> [i, k] {
            .. select i + i0 >= k + k0, %x, -inf ..
        %t = loop.for k1 = 512 step 32 -> max [0] {
          %p = loop.stage max [i: 8, k: 32] (%y = %s[i, k + k1]) -> max [i] {..}
    becomes
        %s = loop.for k0 = 512 step 32 while i0 - k0 + 8 > 0 -> [0, k0] {..}
        %t = loop.for k1 = 512 step 32 while i0 - k1 + 8 > 0 -> max [0] {..}

    A loop whose results someone reads beyond that runs to its end.
    """

    name = "loop-skip"

    only: tuple[str, ...] = ()

    def on(self, f: func.FuncOp) -> None:
        labels = [s.label.data for s in chosen(self.name, f, self.only)]
        Skipping().visit(list(f.body.block.ops), labels)
        withdraw(f)
