"""graph-order: run kernels in an order that keeps less in memory at once.

    %0 = graph.launch @outer(%x) : ...      1 MB
    %1 = graph.launch @outer(%y) : ...      1 MB
    %2 = graph.launch @sum(%0) : ...        4 bytes
    %3 = graph.launch @sum(%1) : ...        4 bytes
becomes
    %0 = graph.launch @outer(%x) : ...
    %2 = graph.launch @sum(%0) : ...
    %1 = graph.launch @outer(%y) : ...
    %3 = graph.launch @sum(%1) : ...

Data and the order of effects are respected, and a donated argument or a carried value that is read before it is
replaced stays so, since its buffer is used again. Blocks of regions are ordered like programs, inner ones first; a
region op is a step that needs what its blocks need. `order_search` finds the order.

The written order is near to what the caches hold, so that it stays unless the most bytes in use fall by `worth` percent
and 64 KiB; with `worth=0`, or of a program with `mlc.least_memory`, whatever saves something is taken, never what needs
more. Symbols count as 1000.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.graph.ops import LEAST_MEMORY, LaunchOp, donated
from ...dialects.graph.regions import carried, is_loop
from ...dialects.graph.views import view_of
from ...dialects.nd.control import Control, If
from ...dialects.nd.dims import typical
from ...dialects.nd.effects import EFFECTS
from ...lowering.stages import replaceable
from ..blocks import has_effects, terminator
from .graph_plan import is_planned
from .order_search import Problem, Step, peak, search
from .plan_buffers import aligned, bytes_of, whole
from .rewriting import functions

STEPS = (LaunchOp, Control, *EFFECTS)

LEAST = 1 << 16
"""Bytes; where less is saved, and something else than memory counts, the written order stays."""


class Orderer:
    """Orders the programs of a module."""

    def __init__(self, kernels: dict[str, FuncOp]) -> None:
        self.kernels, self.worth = kernels, 0
        self.safe: dict[str, dict[int, list[int]]] = {}

    def program(self, main: FuncOp, worth: int) -> None:
        self.worth = 0 if LEAST_MEMORY in main.attributes else worth
        self.block(main.body.block)

    def block(self, block: Block) -> int:
        """Order a block and those in it; the most bytes that it needs."""
        inside: dict[Operation, int] = {
            op: max(map(self.block, _blocks(op))) for op in block.ops if isinstance(op, Control)
        }
        ops = [op for op in block.ops if isinstance(op, STEPS)]
        problem = self._problem(block, ops, inside)
        written = peak(problem, range(len(ops)))
        if not self._worth(written, 0):
            return written
        order, least = search(problem)
        if not self._worth(written, least):
            return written
        _rebuild(block, [ops[k] for k in order])
        return least

    def _worth(self, written: int, least: int) -> bool:
        saved = written - least
        return saved > 0 and (self.worth == 0 or (saved >= LEAST and saved * 100 >= written * self.worth))

    def _problem(self, block: Block, ops: Sequence[Operation], inside: dict[Operation, int]) -> Problem:
        ends = [view_of(v).base for v in terminator(block).operands]
        elsewhere = set[SSAValue]() if isinstance(block.parent_op(), If) else set(ends)
        numbers: dict[SSAValue, int] = {r: n for n, r in enumerate(r for op in ops for r in op.results)}
        sizes = [0 if r in elsewhere else typical(aligned(bytes_of(r))) for r in numbers]
        reads = [[view_of(v).base for v in op.operands] for op in ops]
        after = _after(block, ops, reads, ends)
        small = self.worth > 0 and sum(sizes) < LEAST
        steps: list[Step] = []
        for k, op in enumerate(ops):
            read = dict.fromkeys(numbers[b] for b in reads[k] if b in numbers)
            made = tuple(numbers[r] for r in op.results)
            over = () if small else tuple((numbers[a], numbers[r]) for a, r in self._over(op, reads[k]) if a in numbers)
            steps.append(Step(tuple(read), made, over, inside.get(op, 0), tuple(after[k])))
        return Problem(steps, sizes, frozenset(numbers[e] for e in ends if e in numbers))

    def _over(self, op: Operation, bases: Sequence[SSAValue]) -> Iterator[tuple[SSAValue, SSAValue]]:
        """What an op reads, and which of its results may take the memory of that."""
        if isinstance(op, LaunchOp):
            if not any(b.type == r.type for b in bases for r in op.results):
                return
            if op.kernel not in self.safe:
                self.safe[op.kernel] = replaceable(self.kernels[op.kernel].body.block)
            for k, results in self.safe[op.kernel].items():
                if bases.count(bases[k]) == 1 and whole(op.args[k], bases[k]):
                    yield from ((bases[k], op.results[r]) for r in results)
        elif is_loop(op):
            assert isinstance(op, Control)
            for init, result in zip(op.groups[1], op.results):
                base = view_of(init).base
                if whole(init, base):
                    yield base, result


def _blocks(op: Operation) -> list[Block]:
    return [region.block for region in op.regions]


def _after(
    block: Block, ops: Sequence[Operation], reads: Sequence[Sequence[SSAValue]], ends: Sequence[SSAValue]
) -> list[list[int]]:
    """For each op those that it must follow, though it reads nothing of them."""
    after: list[list[int]] = [[] for _ in ops]
    effects = [k for k, op in enumerate(ops) if has_effects(op)]
    for a, b in pairwise(effects):
        after[b].append(a)
    replaced = _replaced(block, ends)
    readers: dict[SSAValue, list[int]] = {}
    for k, op in enumerate(ops):
        for arg in dict.fromkeys(reads[k]):
            readers.setdefault(arg, []).append(k)
        for arg in [replaced[r] for r in op.results if r in replaced]:
            after[k] += [n for n in readers.get(arg, ()) if n != k]
    return after


def _replaced(block: Block, ends: Sequence[SSAValue]) -> dict[SSAValue, SSAValue]:
    """For what a block returns or yields: the argument whose buffer it may get, if all reads of that come before."""
    parent = block.parent_op()
    if is_loop(parent):
        arguments = {n: a for a in block.args if (n := carried(a)) is not None}
        return {v: arguments[n] for n, v in enumerate(ends) if n in arguments}
    if not isinstance(parent, FuncOp):
        return {}
    free = [block.args[k] for k in donated(parent) if 0 <= k < len(block.args)]
    out: dict[SSAValue, SSAValue] = {}
    for v in dict.fromkeys(ends):
        arg = None if isinstance(v, BlockArgument) else next((a for a in free if a.type == v.type), None)
        if arg is not None:
            free.remove(arg)
            out[v] = arg
    return out


def _rebuild(block: Block, steps: Sequence[Operation]) -> None:
    """The block with its steps in this order; views and constants in front of what reads them first."""
    ops = list(block.ops)
    for op in ops:
        op.detach()

    def add(op: Operation) -> None:
        if op.parent is None:
            for v in op.operands:
                if isinstance(v.owner, Operation):
                    add(v.owner)
            block.add_op(op)

    for op in [*steps, *ops]:
        add(op)


@dataclass(frozen=True)
class GraphOrder(ModulePass):
    """Order launches for the least memory."""

    name = "graph-order"
    worth: int = 10

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        kernels = {f.sym_name.data: f for f in functions(op)}
        orderer = Orderer(kernels)
        for f in kernels.values():
            if is_planned(f) and any(isinstance(inner, STEPS) for inner in f.body.block.ops):
                orderer.program(f, self.worth)
