"""loop.sort as launches: every element finds its place by itself, in runs twice as long each time.

    rank    the place of an element among RUN neighbours: how many of them go before it
    merge   its place in a pair of sorted runs: its own in its run, and by bisection how many of the other run go before

Each is one launch over all elements of all lines, from one buffer to the other; the last one writes the result. Equal
elements keep their order: the left run's go before the right run's. Positions move with their keys. A size known at
run time has as many passes as any size needs; those beyond it have an empty grid.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from xdsl.dialects import arith
from xdsl.dialects.builtin import i64
from xdsl.ir import Attribute, SSAValue

from ..dialects.loop.linear import Linear
from ..dialects.loop.ops import SortOp, shape
from ..dialects.nd.dims import size
from .launch_elements import elements
from .loop_memory import memref_of
from .loop_sort import BELOW, NOT_LESS, Sorting
from .storage import View

if TYPE_CHECKING:
    from .loop_control import Kernel

RUN = 32
"""Elements that are sorted by counting."""

PAIRS = 13
"""Pairs of passes of a size known at run time: RUN * 4 ** 13 elements of a line."""

LINE = "_line"

Give = Callable[[SSAValue, SSAValue, list[SSAValue]], None]
"""Takes line, place and key (and position) of an element."""


class LaunchSort(Sorting):
    """The lowering of one sort whose statements are launches."""

    def __init__(self, kernel: Kernel, op: SortOp) -> None:
        dims = shape(op.x)
        self.lines = size(d for k, d in enumerate(dims) if k != op.along)
        super().__init__(kernel, op)
        self.names = {k: f"_{k}" for k in range(len(dims)) if k != op.along}

    def alloc(self, kind: Attribute) -> SSAValue:
        dims = (self.lines, self.length)
        return self.kernel.allocated(memref_of(dims, kind), dims, self.kernel.home[-1], self.kernel.location)

    def run(self) -> None:
        """All passes, the last of which writes the result."""
        passes = 0
        if isinstance(self.length, int):
            while RUN << passes < self.length:
                passes += 1
        else:
            passes = 2 * PAIRS
        self.elements(lambda row, k: self.rank(row, k, None if passes else self.give))
        if isinstance(self.length, int):
            for p in range(passes):
                give = self.give if p == passes - 1 else None
                self.merge(p % 2, 1 - p % 2, self.number(RUN << p), (RUN << p).bit_length(), give)
            return
        self.run_time_passes()
        self.elements(lambda row, k: self.give(row, k, self.loads_at(0, row, k)))

    def run_time_passes(self) -> None:
        """Pairs of passes over runs four times as wide each time, which end in the buffer where they begin."""

        def pair(number: SSAValue, widths: list[SSAValue]) -> list[SSAValue]:
            (width,) = widths
            twice = self.add(width, width)
            below = self.test(BELOW, width, self.n)
            for of, wide in ((0, width), (1, twice)):
                self.merge(of, 1 - of, wide, (RUN << 2 * PAIRS).bit_length(), None, below)
            return [self.add(twice, twice)]

        self.loop(self.number(0), self.number(PAIRS), self.number(1), [self.number(RUN)], pair)

    # ---- launches

    def elements(self, body: Callable[[SSAValue, SSAValue], None], where: SSAValue | None = None) -> None:
        """A launch of a thread for each element of each line; `where`: or of none."""
        kernel, dims = self.kernel, shape(self.op.x)

        def one(row: SSAValue, k: SSAValue) -> None:
            kernel.unravel(row, [(name, dims[d]) for d, name in self.names.items()])
            body(row, k)

        elements(kernel, self.lines, self.length, one, where)

    def give(self, row: SSAValue, k: SSAValue, values: list[SSAValue]) -> None:
        """Store an element at its place of the result: its key, or its position."""
        value = values[-1]
        if self.op.positions is None and self.given != self.key:
            value = self.made(arith.BitcastOp, self.given, value)
        view = self.kernel.views[self.op.res]
        self.store(value, view.buffer, *self.place(view, k))

    def place(self, view: View, k: SSAValue) -> list[SSAValue]:
        """The indices of an element of a line."""
        kernel, dims = self.kernel, shape(self.op.x)
        kernel.bound_to(LINE, k)
        access = tuple(
            Linear.axis(LINE) if d == self.op.along else Linear.axis(self.names[d]) for d in range(len(dims))
        )
        return [kernel.index(f) for f in view.at(access)]

    def loads_at(self, which: int, row: SSAValue, k: SSAValue) -> list[SSAValue]:
        return [self.load(buffer, row, k) for buffer in self.buffers[which]]

    # ---- passes

    def taken(self, k: SSAValue) -> SSAValue:
        """The key of an element of what is sorted."""
        view = self.kernel.views[self.op.x]
        return self.key_of(self.load(view.buffer, *self.place(view, k)))

    def rank(self, row: SSAValue, k: SSAValue, give: Give | None) -> None:
        """Count what goes before an element in its run: what is less, and what is equal and in front of it."""
        run = self.number(RUN)
        low = self.op_(arith.SubiOp, k, self.op_(arith.RemUIOp, k, run))
        end = self.op_(arith.MinSIOp, self.add(low, run), self.n)
        own = self.taken(k)

        def step(j: SSAValue, counts: list[SSAValue]) -> list[SSAValue]:
            other = self.taken(j)
            front = self.test(BELOW, j, k)
            before = self.before(front, own, other)
            return [self.add(counts[0], self.select(before, self.number(1), self.number(0)))]

        (at,) = self.loop(low, end, self.number(1), [low], step)
        values = [own]
        if self.op.positions is not None:
            values.append(self.made(arith.IndexCastOp, i64, k))
        self.put(0, row, at, values, give)

    def before(self, front: SSAValue, own: SSAValue, other: SSAValue) -> SSAValue:
        """Does the other element go before the own one? One in front of it unless it is behind, else if it is less."""
        x, y = self.select(front, other, own), self.select(front, own, other)
        return self.both(arith.XOrIOp, self.after(x, y), front)

    def put(self, to: int, row: SSAValue, at: SSAValue, values: list[SSAValue], give: Give | None) -> None:
        """Store an element at its new place of a buffer, or where `give` does."""
        if give is not None:
            give(row, at, values)
            return
        for value, buffer in zip(values, self.buffers[to]):
            self.store(value, buffer, row, at)

    def merge(
        self, of: int, to: int, width: SSAValue, steps: int, give: Give | None, where: SSAValue | None = None
    ) -> None:
        """One pass over pairs of sorted runs; `steps`: as many halvings as end a search in a run."""
        twice = self.add(width, width)

        def one(row: SSAValue, k: SSAValue) -> None:
            inside = self.op_(arith.RemUIOp, k, twice)
            start = self.op_(arith.SubiOp, k, inside)
            right = self.test(NOT_LESS, inside, width)
            middle = self.op_(arith.MinSIOp, self.add(start, width), self.n)
            end = self.op_(arith.MinSIOp, self.add(start, twice), self.n)
            ends = self.select(right, start, middle), self.select(right, middle, end)
            values = self.loads_at(of, row, k)
            found = self.bisected(self.buffers[of][0], row, values[0], right, ends, steps)
            # in front of it: of its own run k - start or k - middle, of the other one found - middle or found - start
            at = self.op_(arith.SubiOp, self.add(k, found), middle)
            self.put(to, row, at, values, give)

        self.elements(one, where)

    def bisected(
        self, keys: SSAValue, row: SSAValue, own: SSAValue, right: SSAValue, ends: tuple[SSAValue, SSAValue], steps: int
    ) -> SSAValue:
        """The end of what goes before an element in the other run, which is in order."""
        one, last = self.number(1), self.op_(arith.SubiOp, self.n, self.number(1))

        def step(_: SSAValue, bounds: list[SSAValue]) -> list[SSAValue]:
            low, high = bounds
            middle = self.op_(arith.ShRUIOp, self.add(low, high), one)
            other = self.load(keys, row, self.op_(arith.MinSIOp, middle, last))
            some = self.test(BELOW, low, high)
            below = self.both(arith.AndIOp, some, self.before(right, own, other))
            return [self.select(below, self.add(middle, one), low), self.select(below, high, middle)]

        return self.loop(self.number(0), self.number(steps), one, list(ends), step)[0]


def launch_sort(kernel: Kernel, op: SortOp) -> None:
    """All lines at once."""
    if 0 not in shape(op.x):
        LaunchSort(kernel, op).run()
