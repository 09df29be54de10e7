"""The choice of orders of a block as a problem: values that share an order, the orders each may have, what they cost.

    %0 = nd.contract %x, %w ..        %0, %2 and %3 share one, and so does what is added up with them
    %2 = nd.add %0, %1                %x is an argument: its order is given
    %3 = nd.max %2, %c                contractions cost what their operands' and results' orders make them cost
    %4 = nd.contract %3, %v ..        what only reads dense rows costs a copy of what lies otherwise

An order is a permutation: the dimensions from the outermost to the innermost. The orders to choose from are the value's
own, rows, and those with another dimension last: columns of a matrix, channels last. Ops with regions, effects and all
that is not named here read and give dense rows. Symbolic dimensions move with the others, but none becomes the last.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from xdsl.ir import Block, Operation, SSAValue

from ....dialects.nd.composite import LastDim
from ....dialects.nd.constant import Source
from ....dialects.nd.contraction import Contract
from ....dialects.nd.dims import Dim
from ....dialects.nd.elementwise import Elementwise
from ....dialects.nd.movement import Broadcast, Concat, Pad, Reverse, Slice, Transpose
from ....dialects.nd.reduction import Reduce
from ....dialects.nd.types import element, is_tensor, shape_of
from ....dialects.nd.window import ReduceWindow
from .costs import Work, elements, work

Order = tuple[int, ...]

SHORT = 8
"""Elements of a dimension that is too short to be the last one."""

MOVED = 24.0
"""An element that a kernel reads or writes in another order, in multiply-adds of one lane."""


def rows(rank: int) -> Order:
    return tuple(range(rank))


def permuted(shape: Sequence[Dim], order: Order) -> tuple[Dim, ...]:
    """A shape as it is stored in an order."""
    return tuple(shape[k] for k in order)


@dataclass
class Term:
    """A cost that depends on the orders of some groups."""

    scope: tuple[int, ...]
    cost: Callable[[Sequence[Order]], float]


@dataclass
class Problem:
    """Groups of values, by number, the orders that each may have, rows first, and what they cost."""

    group: dict[SSAValue, int] = field(default_factory=dict[SSAValue, int])
    orders: list[list[Order]] = field(default_factory=list[list[Order]])
    terms: list[Term] = field(default_factory=list[Term])


def keeps_dimensions(op: Operation) -> bool:
    """Has the result the operands' dimensions, one by one, whatever their order is?"""
    match op:
        case LastDim():
            return False
        case Elementwise():
            shape = shape_of(op.type)
            return all(shape_of(v.type) in (shape, ()) for v in op.operands)
        case Slice() | Reverse() | Pad() | Concat():
            return True
        case ReduceWindow():
            m = op.dims
            read = [{n for n, _ in i.terms} for i in m.operands[0]]
            return len(read) == len(m.result) and all(i.name in names for i, names in zip(m.result, read))
        case _:
            return False


def contraction_work(op: Contract, orders: Sequence[Order], result: Order) -> Work:
    """What a contraction does with operands and result in these orders."""
    m = op.dims
    shapes = tuple(permuted(shape_of(v.type), p) for v, p in zip(op.operands, orders))
    permuted_map = type(m)(
        tuple(permuted_dims(dims, p) for dims, p in zip(m.operands, orders)), permuted_dims(m.result, result)
    ).canonical()
    constants = tuple(isinstance(v.owner, Source) for v in op.operands)
    return work(permuted_map, shapes, permuted(shape_of(op.type), result), element(op.operands[0].type), constants)


def permuted_dims(dims: Sequence[object], order: Order) -> tuple[object, ...]:
    return tuple(dims[k] for k in order)


def dense(m: object) -> bool:
    """Is every index a sum, without a quotient?"""
    return all(i.divisor == 1 and not i.opaque for d in m.operands for i in d)  # pyright: ignore


class Builder:
    """Reads a block."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.parent: dict[SSAValue, SSAValue] = {}
        """Of each value whose order may be chosen, one that has the same."""
        self.given: set[SSAValue] = set()
        """Values in dense rows, whatever is chosen: arguments, and results of ops that give nothing else."""
        self.kept: set[SSAValue] = set()
        """Values that the block returns."""
        self.windowed: dict[SSAValue, set[int]] = {}
        """Dimensions of values along which windows move: they are never the last."""

    def find(self, value: SSAValue) -> SSAValue:
        while (above := self.parent[value]) is not value:
            value = above
        return value

    def join(self, a: SSAValue, b: SSAValue) -> None:
        a, b = self.find(a), self.find(b)
        if a is not b:
            self.parent[b] = a

    def build(self) -> Problem:
        self.given.update(self.block.args)
        last = self.block.last_op
        assert last is not None
        for op in self.block.ops:
            if op is not last:
                self._results(op)
        self.kept.update(v for v in last.operands if v in self.parent)
        out = Problem()
        self._groups(out)
        for op in self.block.ops:
            if op is not last:
                out.terms += self._terms(op, out)
        return out

    def _results(self, op: Operation) -> None:
        """Which values an op ties together."""
        if isinstance(op, Source):
            return
        chosen = keeps_dimensions(op) or isinstance(op, Broadcast | Transpose | Contract)
        if isinstance(op, Contract) and not dense(op.dims):
            chosen = False
        if not chosen:
            self.given.update(op.results)
            return
        result = op.results[0]
        self.parent[result] = result
        if keeps_dimensions(op):
            for v in op.operands:
                if v in self.parent and len(shape_of(v.type)) == len(shape_of(result.type)):
                    self.join(v, result)
        if isinstance(op, Contract):
            for dims, v in zip(op.dims.operands, op.operands):
                self.windowed.setdefault(v, set()).update(k for k, i in enumerate(dims) if i.name is None)

    def _groups(self, out: Problem) -> None:
        numbers: dict[SSAValue, int] = {}
        members: list[list[SSAValue]] = []
        for value in self.parent:
            k = numbers.setdefault(self.find(value), len(members))
            if k == len(members):
                members.append([])
            members[k].append(value)
            out.group[value] = k
        for values in members:
            rank = len(shape_of(values[0].type))
            kept = any(v in self.kept for v in values)
            out.orders.append([rows(rank)] if kept else self._orders(values))

    def _orders(self, values: Sequence[SSAValue]) -> list[Order]:
        """Rows, and every dimension last that is long enough and along which no window moves."""
        shape = shape_of(values[0].type)
        windowed = {k for v in values for k in self.windowed.get(v, ())}
        found = [rows(len(shape))]
        for k, d in enumerate(shape[:-1]):
            if isinstance(d, int) and d >= SHORT and k not in windowed:
                found.append((*(j for j in range(len(shape)) if j != k), k))
        return found

    def _terms(self, op: Operation, problem: Problem) -> list[Term]:
        group = problem.group
        if isinstance(op, Contract) and op.results[0] in group:
            return [self._contraction(op, problem)]
        if keeps_dimensions(op):
            others = [v for v in op.operands if v in self.given and shape_of(v.type) != ()]
            return [moved((group[op.results[0]],), v) for v in others]
        if isinstance(op, Transpose) and op.x in group:
            return [Term((group[op.x], group[op.results[0]]), lambda orders: transposed(op, *orders))]
        if isinstance(op, Source | Broadcast | Reduce):
            return []
        return [moved((group[v],), v) for v in op.operands if v in group]

    def _contraction(self, op: Contract, problem: Problem) -> Term:
        values = [*op.operands, op.results[0]]
        scope = tuple(dict.fromkeys(problem.group[v] for v in values if v in problem.group))
        at = [scope.index(problem.group[v]) if v in problem.group else None for v in values]

        def cost(orders: Sequence[Order]) -> float:
            *xs, y = (rows(len(shape_of(v.type))) if k is None else orders[k] for v, k in zip(values, at))
            return contraction_work(op, xs, y).time

        return Term(scope, cost)


def moved(scope: tuple[int], value: SSAValue) -> Term:
    """A value that is read or written in another order than rows."""
    shape = shape_of(value.type)
    return Term(scope, lambda orders: 0.0 if orders[0] == rows(len(shape)) else MOVED * elements(shape))


def transposed(op: Transpose, x: Order, y: Order) -> float:
    """What is left to do of a transpose."""
    return 0.0 if tuple(op.perm[k] for k in y) == x else MOVED * elements(shape_of(op.type))


def problem_of(block: Block) -> Problem:
    return Builder(block).build()


__all__ = ["Order", "Problem", "Term", "contraction_work", "is_tensor", "problem_of"]
