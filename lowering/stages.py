"""How a kernel's ops are cut into stages, in the order in which they run.

A value is *kept* (the result of a stage) if it is reduced, joined, returned, or read somewhere else than at its own
element by what computes, at computed positions above all; the others are part of the body that reads them. A value of
the latter kind that bodies of several stages read is kept after all, unless it is cheap. Neighbouring values over the
same axes share a stage:

    max [i, j] -> [i]      exp [i, j] -> [i, j], add [i]      div [i, j] -> [i, j]

What reductions read of a contraction is kept as well, as what the last of the ops makes that follow it one by one: a
stage of its own, which can share the contraction's loops:

    mm [i, j, k] -> add [i, j]      scale [i, j] -> [i, j]      max [i, j] -> [i]      exp [i, j] -> [i, j], add [i]

Invariant: a stage reads only what earlier stages keep.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from xdsl.ir import Block, Operation, SSAValue

from ..dialects.graph.prologues import of_contraction
from ..dialects.graph.views import VIEWS, unit_reshape
from ..dialects.nd.concatenation import Concat
from ..dialects.nd.constant import Source
from ..dialects.nd.contraction import Contract
from ..dialects.nd.cumulative import Along
from ..dialects.nd.dims import Dim, size
from ..dialects.nd.elementwise import Elementwise
from ..dialects.nd.indexing import Arg
from ..dialects.nd.indirect import Gather
from ..dialects.nd.movement import Broadcast, Pad, Reshape, Transpose
from ..dialects.nd.op import NdOp
from ..dialects.nd.reduction import Reduce
from ..dialects.nd.scatter import Scatter
from ..dialects.nd.types import shape_of
from ..dialects.nd.window import ReduceWindow
from .axis_names import AxisNames, distinct

CHEAP = 4
"""Operations that may be repeated rather than kept."""


@dataclass
class Member:
    """One value that a stage keeps, and the names of the dimensions that it runs over."""

    value: SSAValue
    axes: tuple[str, ...]


@dataclass
class Stage:
    """`kind`: `map` (elements and reductions over the same axes), or an op that is alone."""

    kind: str
    axes: dict[str, Dim]
    members: list[Member] = field(default_factory=list[Member])


def computed(value: SSAValue) -> bool:
    """Made by an op that does work."""
    op = value.owner
    return isinstance(op, Operation) and type(op) not in VIEWS and not isinstance(op, Source)


def alone(op: Operation) -> bool:
    return isinstance(op, Contract | Arg | Pad | Concat | ReduceWindow | Along | Scatter)


def base(value: SSAValue) -> SSAValue:
    """Through views."""
    while isinstance(op := value.owner, Operation) and type(op) in VIEWS:
        value = op.operands[0]
    return value


class Stages:
    """The stages of a block of tensor ops that ends in a return."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.names = AxisNames(block)
        self.ops = [op for op in block.ops if isinstance(op, NdOp)]
        last = block.last_op
        assert last is not None
        self.last = last
        self.stages: list[Stage] = []
        self.home: dict[SSAValue, int] = {}
        """The stage that keeps a value."""
        self.epilogues = self._epilogues()
        self.first = self._first()
        self._place()
        self._share()
        order: dict[SSAValue, int] = {op.results[0]: k for k, op in enumerate(self.ops)}
        for stage in self.stages:
            stage.members.sort(key=lambda m: order.get(m.value, -1))

    def _epilogues(self) -> set[SSAValue]:
        """What ops that follow a contraction one by one make of it, if a reduction reads that."""
        found: set[SSAValue] = set()
        for op in self.ops:
            value = last = op.results[0]
            while isinstance(op, Contract) and (user := _only_reader(value)) is not None:
                value = user.results[0]
                last = value if isinstance(user, Elementwise) else last
            if last is not op.results[0] and any(isinstance(use.operation, Reduce) for use in value.uses):
                found.add(last)
        return found

    def _first(self) -> dict[SSAValue, None]:
        """The values that must be kept, in program order."""
        keep: dict[SSAValue, None] = {}

        def want(values: Iterable[SSAValue]) -> None:
            keep.update((b, None) for v in values if computed(b := base(v)))

        prologues = {op: of_contraction(op) for op in self.ops if isinstance(op, Contract)}
        inlined = {op for found in prologues.values() for p in found if p is not None for op in p.ops}
        for op in self.ops:
            if isinstance(op, Reduce) or alone(op) or op.results[0] in self.epilogues:
                keep[op.results[0]] = None
            moves = type(op) in VIEWS and not isinstance(op, Transpose) and not _unit(op)
            if moves:
                repeated = isinstance(op, Broadcast) and of_positions(base(op.x))
                want(v for v in op.operands if base(v).owner not in inlined and not repeated)
            if isinstance(op, Arg | ReduceWindow):
                want(v for v in op.operands if not (isinstance(op, Arg) and simple(v)))
            if isinstance(op, Contract):
                want(v for v, made in zip(op.operands, prologues[op]) if made is None)
            if isinstance(op, Gather | Scatter):
                want([op.x])
        for value in self.last.operands:
            keep[value] = None
        order: dict[SSAValue, int] = {r: k for k, op in enumerate(self.block.ops) for r in op.results}
        return dict.fromkeys(sorted(keep, key=lambda v: order.get(v, -1)))

    def _domain(self, value: SSAValue) -> tuple[tuple[str, ...], tuple[Dim, ...]]:
        op = value.owner
        if isinstance(op, Reduce):
            value = op.x
        names = tuple(self.names.of(value))
        return names, shape_of(value.type)

    def needs(self, value: SSAValue) -> dict[SSAValue, None]:
        """The kept values that the body of a value reads."""
        op = value.owner
        out: dict[SSAValue, None] = {}
        seen: set[Operation] = set()
        todo = list(op.operands) if isinstance(op, Operation) else []
        while todo:
            v = todo.pop()
            if v in self.first or v in self.home:
                out[v] = None
            elif isinstance(owner := v.owner, Operation) and owner not in seen:
                seen.add(owner)
                todo += owner.operands
        return out

    def anywhere(self, value: SSAValue) -> set[SSAValue]:
        """The kept values that the body of a value reads at computed positions."""
        out: set[SSAValue] = set()
        seen: set[Operation] = set()
        todo = [value]
        while todo:
            op = todo.pop().owner
            if isinstance(op, Operation) and op not in seen:
                seen.add(op)
                out |= {base(op.x)} if isinstance(op, Gather) else set()
                todo += [v for v in op.operands if v not in self.first and v not in self.home]
        return out

    def bodies(self, stage: Stage) -> list[Operation]:
        """The ops whose work a stage does, in program order."""
        found: set[Operation] = set()
        todo = [m.value for m in stage.members]
        own = set(todo)
        while todo:
            value = todo.pop()
            op = value.owner
            if isinstance(op, Operation) and op not in found and (value in own or value not in self.home):
                found.add(op)
                todo += op.operands
        return [op for op in self.ops if op in found]

    def _place(self) -> None:
        """Give every kept value a stage: those that others need in program order, then the rest."""
        needs = {v: self.needs(v) for v in self.first}
        inner = {n for v in self.first for n in needs[v]}
        for value in sorted(self.first, key=lambda v: v not in inner):
            op = value.owner
            if isinstance(op, Operation) and alone(op):
                self._new("alone", {}, Member(value, ()))
                continue
            names, sizes = self._domain(value)
            if not distinct(names):
                names = tuple(self.names.fresh() for _ in names)
            axes = dict(zip(names, sizes))
            least = 0
            anywhere = self.anywhere(value)
            for n in needs[value]:
                at = self.home[n]
                made_here = not isinstance(n.owner, Reduce) and n not in self.epilogues and n not in anywhere
                pointwise = self.stages[at].kind == "map" and made_here
                least = max(
                    least, at if pointwise and self.names.of(n) and set(self.names.of(n)) == set(names) else at + 1
                )
            for k in range(least, len(self.stages)):
                if self.stages[k].kind == "map" and self.stages[k].axes == axes:
                    self.stages[k].members.append(Member(value, names))
                    self.home[value] = k
                    break
            else:
                self._new("map", axes, Member(value, names))

    def _new(self, kind: str, axes: dict[str, Dim], member: Member) -> None:
        self.home[member.value] = len(self.stages)
        self.stages.append(Stage(kind, axes, [member]))

    def _share(self) -> None:
        """Keep what several stages would compute, in the first of them."""
        sites: dict[SSAValue, set[int]] = {}
        for op in reversed(self.ops):
            value = op.results[0]
            found = {self.home[value]} if value in self.home else set[int]()
            if value not in self.home:
                for use in value.uses:
                    found |= sites.get(use.operation.results[0], set()) if use.operation.results else set()
                if len(found) > 1 and computed(value) and self._cost(value) > CHEAP and self._keep(value, min(found)):
                    found = {min(found)}
            sites[value] = found

    def _keep(self, value: SSAValue, k: int) -> bool:
        """Make a value one more result of a stage over its axes."""
        names, stage = tuple(self.names.of(value)), self.stages[k]
        if stage.kind != "map" or dict(zip(names, shape_of(value.type))) != stage.axes:
            return False
        stage.members.append(Member(value, names))
        self.home[value] = k
        return True

    def _cost(self, value: SSAValue) -> int:
        """Operations for one element, from what is kept."""
        op = value.owner
        if value in self.home or not isinstance(op, NdOp):
            return 0
        return op.FLOPS * computed(value) + sum(self._cost(v) for v in op.operands)


def simple(value: SSAValue) -> bool:
    """Is it one operation on what is there already? It is repeated sooner than stored."""
    op = value.owner
    return isinstance(op, Elementwise) and op.FLOPS <= 1 and not any(computed(base(v)) for v in op.operands)


def of_positions(value: SSAValue) -> bool:
    """Is a value made of indices and constants alone, with few operations?"""
    todo, seen = [value], 0
    while todo:
        op = todo.pop().owner
        if not isinstance(op, Operation) or not isinstance(op, Source | Elementwise | Broadcast | Transpose):
            return False
        seen += isinstance(op, Elementwise)
        todo += op.operands
    return 0 < seen <= CHEAP


def _only_reader(value: SSAValue) -> Operation | None:
    """What alone reads a value, element by element: an elementwise op, or one that adds or drops dimensions of one."""
    uses = list(value.uses)
    op = uses[0].operation if len(uses) == 1 else None
    same = op is not None and type(op) in VIEWS and size(shape_of(op.results[0].type)) == size(shape_of(value.type))
    moved = isinstance(op, Broadcast) and same
    return op if isinstance(op, Elementwise) or moved or (isinstance(op, Reshape) and unit_reshape(op)) else None


def _unit(op: Operation) -> bool:
    return isinstance(op, Reshape) and unit_reshape(op)


def replaceable(block: Block) -> dict[int, list[int]]:
    """For each argument the results that may overwrite it: every read of it is in the stage that makes the result, at
    the element that the result replaces; or it is what a scatter updates."""
    plan = Stages(block)
    reads: dict[SSAValue, set[tuple[int, tuple[str, ...]] | None]] = {a: set() for a in block.args}

    def visit(value: SSAValue, where: tuple[int, tuple[str, ...]] | None) -> None:
        op = value.owner
        if value in reads:
            reads[value].add(where)
            return
        if value in plan.home or not isinstance(op, Operation):
            return
        for v in op.operands:
            visit(v, where if isinstance(op, Elementwise) else None)

    for k, stage in enumerate(plan.stages):
        for member in stage.members:
            op = member.value.owner
            if not isinstance(op, Operation):
                visit(member.value, None)
                continue
            pointwise = stage.kind == "map" and isinstance(op, Elementwise | Reduce)
            for n, v in enumerate(op.operands):
                updated = isinstance(op, Scatter) and n == 0 and v in reads
                visit(v, (k, member.axes) if pointwise or updated else None)
    out: dict[int, list[int]] = {}
    for arg in block.args:
        places = reads[arg]
        if len(places) != 1 or None in places:
            continue
        (place,) = places
        for r, value in enumerate(plan.last.operands):
            if value in block.args or value.type != arg.type or isinstance(value.owner, Reduce):
                continue
            member = next((m for m in plan.stages[plan.home[value]].members if m.value is value), None)
            if member is not None and (plan.home[value], member.axes) == place:
                out.setdefault(arg.index, []).append(r)
    return out
