"""When values of a program are in use: positions in program order, regions nested in those of their op.

    0  graph.launch            at 0
    1  nd.scan                 starts at 1, inner 2 .. 5, ends at 6
    3    graph.launch          reads a value from outside: in use up to 5, since the next trip reads it again
    4    nd.yield
    7  graph.launch

What a view or an argument of a region reads is its base, wherever that is defined. A carried value is its own base.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from xdsl.dialects.func import ReturnOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from ...dialects.graph.ops import CopyOp, LaunchOp
from ...dialects.graph.regions import carried, is_loop
from ...dialects.graph.views import view_of
from ...dialects.nd.control import Control, If, Scan, While, Yield
from ...dialects.nd.effects import EFFECTS

READERS = (LaunchOp, CopyOp, Yield, *EFFECTS)


class Use(NamedTuple):
    """An op that reads a value; `at` is the end of the outermost loop around it that the value outlives, if any."""

    at: int
    op: Operation


def base_of(value: SSAValue) -> SSAValue:
    """What is read, a carried value as the argument of its loop's body."""
    base = view_of(value).base
    if isinstance(base, BlockArgument) and carried(base) is not None:
        loop = base.block.parent_op()
        if isinstance(loop, While):
            return loop.regions[1].block.args[base.index]
    return base


class Lifetimes:
    """Positions and uses in a program."""

    def __init__(self, block: Block) -> None:
        self.at: dict[Operation, int] = {}
        """Launches, copies, effects and terminators; of a region op its start."""
        self.inner: dict[Operation, tuple[int, int]] = {}
        """The first and last position inside of a region op."""
        self.span: dict[Block, tuple[int, int]] = {}
        """The positions of a region's block."""
        self.end: dict[Operation, int] = {}
        self.depth: dict[Block, int] = {}
        """How many loops are around a block."""
        self.uses: dict[SSAValue, list[Use]] = {}
        self.count = 0
        self._number(block, 0)
        self._collect(block, ())

    def _next(self) -> int:
        self.count += 1
        return self.count - 1

    def _number(self, block: Block, depth: int) -> None:
        self.depth[block] = depth
        for op in block.ops:
            if isinstance(op, Control):
                self.at[op], first = self._next(), self._next()
                for region in op.regions:
                    start = self.count
                    self._number(region.block, depth + is_loop(op))
                    self.span[region.block] = (start, self.count - 1)
                self.inner[op] = (first, self._next())
                self.end[op] = self._next()
            elif isinstance(op, READERS):
                self.at[op] = self._next()

    def _collect(self, block: Block, loops: Sequence[Operation]) -> None:
        for op in block.ops:
            match op:
                case Control():
                    reads = [op.predicate] if isinstance(op, If) else op.groups[1]
                    for region in op.regions:
                        self._collect(region.block, (*loops, op) if is_loop(op) else loops)
                case _ if isinstance(op, READERS):
                    reads = list(op.operands)
                case _:
                    continue
            for value in reads:
                base = base_of(value)
                home: Any = base.owner if isinstance(base, BlockArgument) else base.owner.parent
                depth = self.depth.get(home, 0)
                at = self.inner[loops[depth]][1] if len(loops) > depth else self.at[op]
                self.uses.setdefault(base, []).append(Use(at, op))

    def last(self, value: SSAValue, default: int) -> int:
        """The last use of a value."""
        return max((use.at for use in self.uses.get(value, ())), default=default)


def is_fresh(value: SSAValue, block: Block) -> bool:
    """Made in a block by an op that can write it where the plan says, and in no other place before."""
    op = value.owner
    if not isinstance(op, Operation) or op.parent is not block:
        return False
    if isinstance(op, Scan):
        return op.results.index(value) >= len(op.inits)  # pyright: ignore[reportArgumentType]
    return isinstance(op, LaunchOp | CopyOp | If)


def add_copies(block: Block) -> None:
    """Copies where a value gets a place of its own: what loops begin with, and what regions yield but do not make.

    Carried results that the program returns are copied too. The plan makes most of these copies superfluous.
    """
    for op in list(block.ops):
        if isinstance(op, Control):
            if is_loop(op):
                invariants, inits = op.groups[:2]
                for k, value in enumerate(inits):
                    op.operands[len(invariants) + k] = _copy(value, op)
            for region in op.regions:
                add_copies(region.block)
    last = block.last_op
    if isinstance(last, ReturnOp):
        _copy_returned(block, last)
    elif isinstance(last, Yield) and not _is_predicate(block):
        seen: set[SSAValue] = set()
        for k, value in enumerate(last.operands):
            if value in seen or not is_fresh(value, block):
                last.operands[k] = _copy(value, last)
            seen.add(value)


def _is_predicate(block: Block) -> bool:
    op = block.parent_op()
    return isinstance(op, While) and block is op.regions[0].block


def _copy(value: SSAValue, before: Operation) -> SSAValue:
    copy = CopyOp.make(value, before.location)
    assert before.parent is not None
    before.parent.insert_op_before(copy, before)
    return copy.result


def _copy_returned(block: Block, last: Operation) -> None:
    for value in last.operands:
        base = view_of(value).base
        op = base.owner
        if is_loop(op if isinstance(op, Operation) else None) and not is_fresh(base, block):
            assert isinstance(op, Operation)
            copy = CopyOp.make(base, op.location)
            block.insert_op_after(copy, op)
            base.replace_uses_with_if(copy.result, lambda use, copy=copy: use.operation is not copy)
