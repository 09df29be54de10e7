"""A memory plan followed step by step without numbers: every byte remembers which value was written there last.

`check_plan(main)` runs a planned program in memory of tags: both branches of an `nd.if`, two trips of a loop. What an
op reads must still be there as it was written, so that a plan that gives bytes away too early fails. It shares nothing
with the planner's lifetimes. Returned is the most bytes that hold something that is read later, in multiples of 64.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from mlc.dialects.graph.ops import ARENA, RESULTS, CopyOp, LaunchOp
from mlc.dialects.graph.place import Place
from mlc.dialects.graph.regions import carried, counter_name, places_of, region_of
from mlc.dialects.graph.views import view_of
from mlc.dialects.nd.control import Control, If, Scan, While
from mlc.dialects.nd.dims import evaluate, size
from mlc.dialects.nd.effects import EFFECTS
from mlc.dialects.nd.types import NUMPY, element, shape_of
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

TRIPS = 2


class Written(NamedTuple):
    """Bytes of a buffer, and the tag that they have if nothing was written over them."""

    buffer: Any
    start: int
    end: int
    tag: int


class Trace:
    def __init__(self, main: FuncOp) -> None:
        self.main = main
        self.memory: dict[Any, Any] = {}
        self.values: dict[SSAValue, list[Written]] = {}
        self.trips: dict[str, int] = {}
        self.tags = self.now = 0
        self.life: dict[int, list[int]] = {}
        """By tag of what is in the arena: start, end, first and last time."""

    def bytes(self, value: SSAValue) -> int:
        return evaluate(size(shape_of(value.type)), {}) * NUMPY[element(value.type)].itemsize

    def buffer(self, key: Any, end: int) -> Any:
        found = self.memory.get(key, np.zeros(0, np.int64))
        if len(found) < end:
            self.memory[key] = found = np.concatenate([found, np.zeros(end - len(found), np.int64)])
        return found

    def write(self, value: SSAValue, place: Place) -> None:
        self.tags += 1
        arena = place.base == "arena"
        start = evaluate(place.number if arena else place.at, self.trips)
        end = start + evaluate(place.bytes, self.trips)
        assert end - start == self.bytes(value)
        key = "arena" if arena else (place.base, place.number)
        if arena:
            assert start % 4 == 0 and end <= self.main.attributes[ARENA].data  # pyright: ignore
            self.life[self.tags] = [start, end, self.now, self.now]
        self.buffer(key, end)[start:end] = self.tags
        self.values[value] = [Written(key, start, end, self.tags)]

    def read(self, value: SSAValue, by: Operation) -> list[Written]:
        base = self.base(value)
        if base not in self.values:
            assert not isinstance(base.owner, LaunchOp | CopyOp | Control), f"{by.name} reads what is not made yet"
            return []
        for w in self.values[base]:
            held = self.buffer(w.buffer, w.end)[w.start : w.end]
            assert (held == w.tag).all(), f"{by.name} reads %{base.name_hint} after it was overwritten"
            if w.tag in self.life:
                self.life[w.tag][3] = self.now
        return self.values[base]

    def base(self, value: SSAValue) -> SSAValue:
        base = view_of(value).base
        if isinstance(base, BlockArgument) and isinstance(loop := region_of(base), While) and carried(base) is not None:
            return loop.regions[1].block.args[base.index]
        return base

    def run(self) -> int:
        for k, arg in enumerate(self.main.body.block.args):
            self.write(arg, Place("argument", k, self.bytes(arg)))
        self.block(self.main.body.block)
        last = self.main.body.block.last_op
        assert last is not None
        for v, view in zip(last.operands, self.main.attributes[RESULTS].data, strict=True):  # pyright: ignore
            self.read(v, last)
            assert view.data.base != "arena"
        return self.most()

    def block(self, block: Block) -> list[list[Written]]:
        for op in block.ops:
            self.now += 1
            if isinstance(op, LaunchOp | CopyOp):
                for v in op.operands:
                    self.read(v, op)
                for r, place in zip(op.results, places_of(op) or (), strict=True):
                    self.write(r, place)
            elif isinstance(op, EFFECTS):
                for v in op.operands:
                    self.read(v, op)
            elif isinstance(op, If):
                self.branches(op)
            elif isinstance(op, While | Scan):
                self.loop(op)
            elif op.name == "nd.yield":
                return [self.read(v, op) for v in op.operands]
        return []

    def branches(self, op: If) -> None:
        self.read(op.operands[0], op)
        memory = {k: v.copy() for k, v in self.memory.items()}
        for region in op.regions:
            self.memory = {k: v.copy() for k, v in memory.items()}
            for r, written in zip(op.results, self.block(region.block), strict=True):
                self.values[r] = written

    def loop(self, op: While | Scan) -> None:
        name, inits = counter_name(op), op.groups[1]
        first = len(op.groups[0])
        arguments = op.block.args[first : first + len(inits)]
        held = [self.read(v, op) for v in inits]
        stacks: list[list[Written]] = [[] for _ in op.results[len(inits) :]]
        trips = TRIPS if isinstance(op, While) else min(TRIPS, evaluate(op.length, {}))
        for trip in range(trips + isinstance(op, While)):
            self.trips[name] = trip
            for arg, written in zip(arguments, held):
                self.values[arg] = written
            if isinstance(op, While):
                self.block(op.regions[0].block)
                if trip == trips:
                    break
            made = self.block(op.block)
            held = made[: len(inits)]
            for stack, written in zip(stacks, made[len(inits) :]):
                stack += written
        self.trips[name] = trips
        for r, written in zip(op.results, [*held, *stacks], strict=True):
            self.values[r] = written
            self.read(r, op)

    def most(self) -> int:
        """The most bytes of the arena that hold what is read later; an element that is replaced counts once."""
        users = np.zeros(-(-max((end for _, end, _, _ in self.life.values()), default=0) // 64), np.int64)
        changes: list[tuple[int, int, int, int]] = []
        for start, end, first, last in self.life.values():
            changes += [(first, 1, start, end), (last + 1, -1, start, end)]
        most = now = 0
        for time, change, start, end in sorted(changes):
            if time != now:
                most, now = max(most, np.count_nonzero(users)), time
            users[start // 64 : -(-end // 64)] += change
        return 64 * most


def check_plan(main: FuncOp) -> int:
    return Trace(main).run()
