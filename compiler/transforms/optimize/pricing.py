"""What a rewrite changes, and how long both sides take: the ops that go, those that are made, and what reads them.

    %y = nd.contract %x, %w          goes                 %k = nd.mul %w, %s        made
    %z = nd.mul %y, %s               goes                 %z = nd.contract %x, %k   made
    %r = nd.relu %z                  reads: on both sides, since it shares a kernel with them

Each side becomes a function of what it reads from elsewhere, is simplified, fused, and estimated on the machine. What
depends on constants alone is one; it is computed before the program runs.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects.func import ReturnOp
from xdsl.ir import Block, Operation, SSAValue

from ....dialects.graph.views import VIEWS, view_of
from ....dialects.nd.array import Array
from ....dialects.nd.constant import Constant
from ....dialects.nd.contraction import Contract
from ....dialects.nd.dims import size
from ....dialects.nd.elementwise import Elementwise
from ....dialects.nd.reduction import Reducing
from ....dialects.nd.types import NUMPY, element, shape_of
from ...blocks import clone, terminator
from ...constancy import Constancy
from ...cost import Cost, estimate_block
from ...machine import Machine
from ...report import typical
from ..canonicalize import rules as simplifications
from ..rewriting import is_pure, rewrite

READERS = 24
"""Ops that read the rewritten values and are priced with them, at most."""


@dataclass(frozen=True)
class Side:
    """A function, and which of its arguments never change."""

    block: Block
    constants: Sequence[SSAValue]
    results: Sequence[int]
    """Which of the values that it returns are results of the program."""

    def cost(self, machine: Machine) -> Cost:
        """Results of a program that lie apart in memory are copied in the end."""
        total = estimate_block(self.block, machine, self.constants)
        returned = terminator(self.block).operands
        for v in (returned[k] for k in self.results):
            if not view_of(v).rows(shape_of(v.type)):
                moved = 2 * typical(size(shape_of(v.type))) * NUMPY[element(v.type)].itemsize
                seconds = moved / machine.bandwidth(moved)
                total = total + Cost(seconds, {"memory": seconds}, bytes=moved)
        return total


class Prices:
    """Prices of rewrites in one program on one machine."""

    def __init__(self, machine: Machine, numerics: str) -> None:
        self.machine, self.numerics = machine, numerics
        self.constancy = Constancy()

    def compare(self, answer: Sequence[tuple[SSAValue, Array]], made: Block) -> tuple[Cost, Cost]:
        """The cost of what a rewrite replaces and of what it makes, each with what reads it."""
        to = {v: new.value for v, new in answer}
        gone = dying(to)
        reading = readers(to, gone)
        touched = {*gone, *reading}
        outputs = [v for op in (*gone, *reading) for v in op.results if read_elsewhere(v, touched)]
        before = self._side(touched, {}, outputs)
        after = self._side({*made.ops, *reading}, to, outputs)
        return before.cost(self.machine), after.cost(self.machine)

    def _side(self, inside: Container[Operation], to: Mapping[SSAValue, SSAValue], outputs: Sequence[SSAValue]) -> Side:
        """These ops as a function that returns `outputs`, where others stand for the values in `to`."""
        block = Block()
        env: dict[SSAValue, SSAValue] = {}
        constants: list[SSAValue] = []

        def available(v: SSAValue) -> SSAValue:
            v = to.get(v, v)
            if v in env:
                return env[v]
            owner = v.owner
            if isinstance(owner, Operation) and owner in inside:
                block.add_op(new := clone(owner, {w: available(w) for w in owner.operands}))
                env.update(zip(owner.results, new.results))
            elif isinstance(owner, Constant) and owner.splat is not None:
                block.add_op(clone(owner, env))
            else:
                env[v] = block.insert_arg(v.type, len(block.args))
                if self.constancy.holds(v):
                    constants.append(env[v])
            return env[v]

        returned = [available(v) for v in outputs]
        block.add_op(ReturnOp.create(operands=returned))
        rewrite(block, simplifications(self.numerics))
        results = [k for k, v in enumerate(outputs) if any(isinstance(u.operation, ReturnOp) for u in v.uses)]
        return Side(block, constants, results)


def dying(old: Collection[SSAValue]) -> list[Operation]:
    """The ops that nobody reads once others stand for these values."""
    gone: dict[Operation, None] = {}
    waiting = [v.owner for v in old if isinstance(v.owner, Operation)]
    while waiting:
        op = waiting.pop()
        alive = any(use.operation not in gone for r in op.results if r not in old for use in r.uses)
        if op in gone or alive or not is_pure(op):
            continue
        gone[op] = None
        home = op.parent
        waiting += [v.owner for v in op.operands if isinstance(v.owner, Operation) and v.owner.parent is home]
    return list(gone)


def readers(old: Iterable[SSAValue], gone: Sequence[Operation]) -> list[Operation]:
    """What reads values, and what reads that, up to the next contractions and to a number of ops: a softmax between two
    contractions may share a kernel with both."""
    found: dict[Operation, None] = {}
    waiting = list(old)
    leaving = set(gone)
    for value in waiting:
        home = value.owner.parent if isinstance(value.owner, Operation) else None
        for use in reversed([*value.uses]):
            op = use.operation
            if op in found or op in leaving or op.parent is not home or len(found) >= READERS:
                continue
            if isinstance(op, (Elementwise, Reducing, *VIEWS)):
                found[op] = None
                waiting += op.results
            elif isinstance(op, Contract):
                found[op] = None
    return list(found)


def read_elsewhere(value: SSAValue, inside: Container[Operation]) -> bool:
    return any(use.operation not in inside for use in value.uses)
