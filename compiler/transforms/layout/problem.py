"""The choice of orders of a block as a problem: values that share an order, the orders each may have, what they cost.

    %0 = nd.contract %x, %w ..        %0, %2 and %3 share one, and so does what is added up with them
    %2 = nd.add %0, %1                %x is an argument: its order is given
    %3 = nd.max %2, %c                contractions cost what their operands' and results' orders make them cost
    %4 = nd.contract %3, %v ..        what only reads dense rows costs a copy of what lies otherwise

An order is a permutation: the dimensions from the outermost to the innermost. The orders to choose from are the value's
own, rows, and those with another dimension last: columns of a matrix, channels last; and what a reshape makes of such
an order, as of channels in groups. Ops with regions, effects and all
that is not named here read and give dense rows. Symbolic dimensions move with the others, but none becomes the last.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from xdsl.ir import Block, Operation, SSAValue

from ....dialects.nd.constant import Source
from ....dialects.nd.contraction import Contract
from ....dialects.nd.dimmap import DimMap
from ....dialects.nd.movement import Broadcast, Reshape, Reverse, Slice, Transpose
from ....dialects.nd.reduction import Reduce
from ....dialects.nd.types import element, shape_of
from .costs import Work, elements, work
from .orders import (
    Order,
    given_by_reshape,
    given_order,
    keeps_dimensions,
    permuted,
    read_by_reshape,
    read_order,
    rows,
)

SHORT = 8
"""Elements of a dimension that is too short to be the last one."""

MOVED, KERNEL = 40.0, 20000.0
"""An element that is read or written in another order, which takes longer than to turn it in registers where it is
made, and a kernel that does nothing else, in multiply-adds of one lane."""

MOST = 6
"""Orders of one group."""


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


def contraction_work(op: Contract, orders: Sequence[Order], result: Order, constants: Sequence[bool]) -> Work:
    """What a contraction does with operands and result in these orders; `lanes` is a name of its own map."""
    m = op.dims
    shapes = tuple(permuted(shape_of(v.type), p) for v, p in zip(op.operands, orders))
    dims = DimMap(tuple(permuted(d, p) for d, p in zip(m.operands, orders)), permuted(m.result, result))
    canonical = dims.canonical()
    out = permuted(shape_of(op.type), result)
    found = work(canonical, shapes, out, element(op.operands[0].type), tuple(constants))
    own = dict(zip(canonical.names(), dims.names()))
    return found._replace(lanes=own.get(found.lanes, ""))


def is_constant(value: SSAValue) -> bool:
    """Is it a constant of the program or a view of one?"""
    op = value.owner
    while isinstance(op, Transpose | Reshape | Slice | Reverse):
        op = op.operands[0].owner
    return isinstance(op, Source)


def dense(m: DimMap) -> bool:
    """Is every index a sum, without a quotient?"""
    return all(i.divisor == 1 for d in m.operands for i in d)


class Builder:
    """Reads a block."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.parent: dict[SSAValue, SSAValue] = {}
        """Of each value whose order may be chosen, one that has the same."""
        self.given: set[SSAValue] = set()
        """Values in dense rows, whatever is chosen: arguments, and results of ops that give nothing else."""
        self.kept: set[SSAValue] = set()
        """Values that stay in rows: those that the block returns, and lines that are reduced along memory, as those of
        a softmax, which share loops with what makes them."""
        self.windowed: dict[SSAValue, set[int]] = {}
        """Dimensions of values along which windows move: they are never the last."""

    def find(self, value: SSAValue) -> SSAValue:
        """What stands for all values of an order."""
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
        if op.results and is_constant(op.results[0]):
            return
        if isinstance(op, Reduce) and op.axes == (len(shape_of(op.x.type)) - 1,):
            self.kept.add(op.x)
        chosen = keeps_dimensions(op) or isinstance(op, Broadcast | Transpose | Contract | Reduce | Reshape)
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
        """Number the groups, and say which orders each may have."""
        numbers: dict[SSAValue, int] = {}
        members: list[list[SSAValue]] = []
        for value in self.parent:
            k = numbers.setdefault(self.find(value), len(members))
            if k == len(members):
                members.append([])
            members[k].append(value)
            out.group[value] = k
        fixed = {out.group[v] for v in self.kept if v in out.group}
        for k, values in enumerate(members):
            out.orders.append([rows(len(shape_of(values[0].type)))] if k in fixed else self._orders(values))
        reshapes = [op for op in self.block.ops if isinstance(op, Reshape) and op.x in out.group]
        for op in (*reshapes, *reversed(reshapes)):
            self._through(op, out, fixed)

    def _through(self, op: Reshape, out: Problem, fixed: set[int]) -> None:
        """Orders of one side of a reshape are worth a thought on the other: channels last, also in groups."""
        x, y = shape_of(op.x.type), shape_of(op.type)
        before, behind = out.group[op.x], out.group[op.result]
        for source, target, carried in ((before, behind, given_by_reshape), (behind, before, read_by_reshape)):
            for order in out.orders[source]:
                found = carried(x, y, order)
                if found is not None and found not in out.orders[target] and target not in fixed:
                    out.orders[target] = [*out.orders[target], found][:MOST]

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
        """What an op costs by the orders of what it reads and gives."""
        group = problem.group
        if isinstance(op, Contract) and op.results[0] in group:
            return [self._contraction(op, problem)]
        if keeps_dimensions(op):
            others = [v for v in op.operands if v in self.given and shape_of(v.type) != ()]
            return [moved(group[op.results[0]], v) for v in others]
        if isinstance(op, Transpose | Reduce | Reshape) and op.results[0] in group:
            mine, given = group[op.results[0]], rows(len(shape_of(op.x.type)))
            if op.x not in group:
                return [Term((mine,), lambda orders: rearranged(op, given, *orders))]
            return [Term((group[op.x], mine), lambda orders: rearranged(op, *orders))]
        if isinstance(op, Source | Broadcast | Transpose | Reduce | Reshape):
            return []
        return [moved(group[v], v, KERNEL) for v in op.operands if v in group]

    def _contraction(self, op: Contract, problem: Problem) -> Term:
        values = [*op.operands, op.results[0]]
        scope = tuple(dict.fromkeys(problem.group[v] for v in values if v in problem.group))
        constants = [is_constant(v) for v in op.operands]
        at = [scope.index(problem.group[v]) if v in problem.group else None for v in values]

        def cost(orders: Sequence[Order]) -> float:
            *xs, y = (rows(len(shape_of(v.type))) if k is None else orders[k] for v, k in zip(values, at))
            return contraction_work(op, xs, y, constants).time

        return Term(scope, cost)


def moved(group: int, value: SSAValue, kernel: float = 0.0) -> Term:
    """A value that is read in rows or given in rows, where the group has another order."""
    shape = shape_of(value.type)
    return Term((group,), lambda orders: 0.0 if orders[0] == rows(len(shape)) else kernel + MOVED * elements(shape))


def rearranged(op: Transpose | Reduce | Reshape, x: Order, y: Order) -> float:
    """What is left to move where an op that keeps dimensions in another place reads and gives these orders."""
    return 0.0 if read_order(op, y) == given_order(op, x) else KERNEL + MOVED * elements(shape_of(op.type))


def problem_of(block: Block) -> Problem:
    """What is to be chosen in a block that ends in func.return or nd.yield, and what it costs."""
    return Builder(block).build()
