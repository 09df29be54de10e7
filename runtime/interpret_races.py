"""What is known about the elements of one memory inside of a launch: who read and wrote them since the last barrier.

Two accesses of one element, one of them a write, by two threads are ordered only by a barrier of their block between
them; blocks are never ordered. Of each element the last writer and two different readers are kept, as one number each:
when (the number of the phase between two barriers), which op, which thread. That is enough to find the first conflict:
a third reader conflicts with a writer where one of the two does.

Of global memory, equal values may be written by several threads and blocks: clamped tiles do so. An element that an
asynchronous copy is still writing (`interpret_copies`) may be neither read nor written.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

import numpy as np
from xdsl.ir import Attribute, Operation

from ..dialects.errors import CompileError, position
from .interpret_arith import Array

THREAD_BITS = 11
OP_BITS = 16
THREADS = (1 << THREAD_BITS) - 1


class Clock:
    """The phases of a launch: a new one begins with every block and at every barrier."""

    def __init__(self, lockstep: bool = False) -> None:
        self.lockstep = lockstep
        """Are the threads meant to go op by op together? Then nothing is a race."""
        self.now = 0
        self.begin = 0
        """The first phase of the running block."""
        self.begins: list[int] = []
        self.blocks: list[str] = []
        self.ops: list[Operation] = []
        self.numbers: dict[Operation, int] = {}

    def enter(self, block: str) -> None:
        """Begin a block; its name is for messages."""
        self.barrier()
        self.begin = self.now
        self.begins.append(self.now)
        self.blocks.append(block)

    def barrier(self) -> None:
        self.now += 1

    def mark(self, op: Operation) -> int:
        """What accesses of an op are kept as, less the thread."""
        if (number := self.numbers.get(op)) is None:
            number = self.numbers[op] = len(self.ops)
            assert number < 1 << OP_BITS
            self.ops.append(op)
        return (self.now << OP_BITS | number) << THREAD_BITS

    def phase(self) -> int:
        """The least number of an access since the last barrier."""
        return self.now << OP_BITS + THREAD_BITS

    def block(self) -> int:
        """The least number of an access by the running block."""
        return self.begin << OP_BITS + THREAD_BITS

    def thread(self, code: int) -> str:
        """`thread 3 of block 5`."""
        block = self.blocks[bisect_right(self.begins, code >> OP_BITS + THREAD_BITS) - 1]
        return f"thread {code & THREADS} of block {block}"

    def op(self, code: int) -> Operation:
        return self.ops[(code >> THREAD_BITS) & ((1 << OP_BITS) - 1)]


def place_of(location: Attribute) -> str:
    """`file:line:column: ` of a location that has one."""
    where = position(location)
    return f"{where[0]}:{where[1]}:{where[2]}: " if where is not None else ""


def bits(a: Array) -> Array:
    """The bytes of elements as integers: what tells equal values, NaN and zeros too."""
    return a.view(f"u{a.dtype.itemsize}")


class Accesses:
    """The accesses of one memory's elements. `shared`: of one block, all elements poisoned at first."""

    def __init__(self, clock: Clock, count: int, shared: bool) -> None:
        self.clock, self.shared = clock, shared
        self.writer, self.reader, self.second = (np.zeros(count, np.int64) for _ in range(3))
        self.foreign = None if shared else np.zeros(count, np.int64)
        """A reader of an earlier block."""
        self.written = np.zeros(count, np.bool_) if shared else None
        self.in_flight: Array | None = None
        """Where copies are on their way: their numbers."""
        self.explain_flight: Callable[[Operation, str, int, int, int], CompileError] | None = None

    def read(self, op: Operation, at: Array, threads: Array, start: int) -> None:
        """Threads (broadcast to the places) read elements behind `start`; CompileError for a conflict."""
        mine, phase = self.clock.mark(op) | np.broadcast_to(threads, at.shape), self.clock.phase()
        self._check_flight(op, "reads", at, mine)
        shown, at = at, at + start
        if self.written is not None and not (ok := self.written[at]).all():
            k = _first(~ok)
            raise CompileError(
                f"{op.name}: {self.clock.thread(int(mine[k]))} reads element {shown[k]} of {self._memory()}, "
                "which nothing has written",
                op.location,
            )
        if self.clock.lockstep:
            return
        found = self.writer[at]
        other = self._of_others(found, mine, phase)
        if other.any():
            k = _first(other)
            raise self._conflict(op, "reads", "wrote", shown[k], mine[k], found[k])
        self._note_readers(at, mine, phase)

    def _of_others(self, found: Array, mine: Array, phase: int) -> Array:
        """Which accesses are another thread's since the last barrier, or an earlier block's."""
        other = (found >= phase) & ((found ^ mine) & THREADS != 0)
        if self.foreign is not None:
            other |= (found != 0) & (found < self.clock.block())
        return other

    def _note_readers(self, at: Array, mine: Array, phase: int) -> None:
        old = self.reader[at]
        if self.foreign is not None and (moved := (old != 0) & (old < self.clock.block())).any():
            self.foreign[at[moved]] = old[moved]
        fresh = old < phase
        new = np.where(fresh, mine, old)
        self.reader[at] = new
        now = self.reader[at]  # of several fresh readers of one element, one stands there
        different = (now ^ mine) & THREADS != 0
        if different.any():
            self.second[at[different]] = mine[different]

    def write(self, op: Operation, at: Array, threads: Array, start: int, old: Array, new: Array) -> None:
        """Threads write elements, whose values change from `old` to `new`; CompileError for a conflict."""
        mine, phase = self.clock.mark(op) | np.broadcast_to(threads, at.shape), self.clock.phase()
        self._check_flight(op, "writes", at, mine)
        shown, at = at, at + start
        if self.written is not None:
            self.written[at] = True
        if self.clock.lockstep:
            return
        for readers in (self.reader, self.second):
            found = readers[at]
            other = self._of_others(found, mine, phase)
            if other.any():
                k = _first(other)
                raise self._conflict(op, "writes", "read", shown[k], mine[k], found[k])
        if self.foreign is not None and (found := self.foreign[at]).any():
            k = _first(found != 0)
            raise self._conflict(op, "writes", "read", shown[k], mine[k], found[k])
        found = self.writer[at]
        other = self._of_others(found, mine, phase)
        if self.foreign is not None:
            other &= bits(old) != bits(new)
        if other.any():
            k = _first(other)
            raise self._conflict(op, "writes", "wrote", shown[k], mine[k], found[k])
        self.writer[at] = mine

    def check_together(self, op: Operation, at: Array, threads: Array, start: int, new: Array, stored: Array) -> None:
        """After a write: threads that wrote one element in the same step; `stored` is what stands there now."""
        if self.clock.lockstep:
            return
        mine = self.clock.mark(op) | np.broadcast_to(threads, at.shape)
        shown, at = at, at + start
        found = self.writer[at]
        other = found != mine
        if self.foreign is not None:
            other &= bits(stored) != bits(new)
        if other.any():
            k = _first(other)
            raise self._conflict(op, "writes", "wrote", shown[k], mine[k], found[k])

    def _check_flight(self, op: Operation, does: str, at: Array, mine: Array) -> None:
        if self.in_flight is not None and (found := self.in_flight[at]).any():
            k = _first(found != 0)
            assert self.explain_flight is not None
            raise self.explain_flight(op, does, int(found[k]), int(at[k]), int(mine[k]))

    def _memory(self) -> str:
        return "workgroup memory" if self.shared else "global memory"

    def _conflict(self, op: Operation, does: str, did: str, at: int, mine: int, other: int) -> CompileError:
        clock, mine, other = self.clock, int(mine), int(other)
        across = other < clock.block()
        problem = {
            ("reads", "wrote"): "race: a read of what another thread writes",
            ("writes", "read"): "race: a write of what another thread reads",
            ("writes", "wrote"): "race: two threads write one element",
        }[does, did]
        since = "in this launch" if across else "with no barrier between"
        first = clock.op(other)
        return CompileError(
            f"{op.name}: {problem}: {clock.thread(mine)} {does} element {at} of {self._memory()}, which "
            f"{clock.thread(other)} {did} {since}",
            op.location,
            [f"{place_of(first.location)}the other access is {first.name}"],
        )


def _first(found: Array) -> tuple[int, ...]:
    """Where an array is true for the first time."""
    return tuple(int(k) for k in np.unravel_index(int(np.argmax(found)), found.shape))
