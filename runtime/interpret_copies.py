"""Asynchronous copies inside of a launch: their elements arrive at the wait that covers them, not before.

A card copies when it likes; a kernel that reads too early often gets the right values. Here the elements of a copy are
in flight until a wait of the same thread covers its group: reading or writing them before is an error, and by others
than that thread it needs a barrier after the wait, for the copy counts as a write of that thread at the wait. It counts
as one where it begins, too: what other threads still read there is a race.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from xdsl.ir import Operation
from xdsl.ir.affine import AffineExpr, AffineMap

from ..dialects.errors import CompileError
from ..dialects.nvgpu import CopyOp, CreateGroupOp, WaitOp
from .interpret_arith import Array
from .interpret_races import place_of
from .interpret_thread_memory import Local, in_bounds, index_of, note_read, positions
from .interpret_threads import Threads, in_launch
from .interpret_vector import Buffer, buffer_of


@dataclass
class Copy:
    """What the threads copy that ran an op together: a row of each array for each of them."""

    op: Operation
    memory: Local
    threads: Array
    at: Array
    values: Array
    group: Array
    """The number of the thread's group that the copy is in; 0: in none."""
    in_flight: Array
    waits: list[Operation | None]
    """The last wait of the thread that did not cover the copy."""


class Copies:
    """The copies of one block that are in flight."""

    def __init__(self, frame: Threads) -> None:
        self.frame = frame
        self.groups = np.zeros(frame.count, np.int64)
        """How many groups each thread has made."""
        self.copies: dict[int, Copy] = {}
        self.begun = 0

    def begin(self, op: Operation, memory: Local, at: Array, values: Array) -> None:
        """The running threads begin to copy values to places of shared memory."""
        accesses, threads = memory.accesses, self.frame.active
        assert accesses is not None
        column = threads.reshape(-1, 1)
        accesses.write(op, at, column, 0, memory.flat[at], values)
        accesses.check_together(op, at, column, 0, values, values)
        if accesses.in_flight is None:
            accesses.in_flight, accesses.explain_flight = np.zeros(memory.flat.size, np.int64), self.explain
        self.begun += 1
        accesses.in_flight[at] = self.begun
        none = np.zeros(len(threads), np.int64)
        self.copies[self.begun] = Copy(op, memory, threads, at, values, none, none == 0, [None] * len(threads))

    def running(self) -> Array:
        out = np.zeros(self.frame.count, np.bool_)
        out[self.frame.active] = True
        return out

    def close_group(self) -> None:
        running = self.running()
        self.groups += running
        for c in self.copies.values():
            new = (c.group == 0) & running[c.threads]
            c.group[new] = self.groups[c.threads[new]]

    def wait(self, op: Operation, newest: int) -> None:
        """Let arrive what the running threads copy, but for their newest groups."""
        running = self.running()
        for number, c in list(self.copies.items()):
            covered = (c.group > 0) & (c.group <= self.groups[c.threads] - newest)
            arrive = c.in_flight & running[c.threads] & covered
            for k in np.flatnonzero(c.in_flight & running[c.threads] & ~covered):
                c.waits[k] = op
            self.arrive(c, arrive)
            if not c.in_flight.any():
                del self.copies[number]

    def arrive(self, c: Copy, which: Array) -> None:
        accesses, at = c.memory.accesses, c.at[which]
        assert accesses is not None and accesses.in_flight is not None
        c.memory.flat[at] = c.values[which]
        accesses.in_flight[at] = 0
        accesses.writer[at] = self.frame.launch.clock.mark(c.op) | c.threads[which].reshape(-1, 1)
        c.in_flight &= ~which

    def explain(self, op: Operation, does: str, number: int, at: int, mine: int) -> CompileError:
        """The error of an access of an element that a copy is still to write."""
        c, clock = self.copies[number], self.frame.launch.clock
        k = int(np.argmax((c.at == at).any(1)))
        thread = int(c.threads[k])
        wait, newer = c.waits[k], int(self.groups[thread] - c.group[k])
        notes = [f"{place_of(c.op.location)}the copy begins here"]
        if wait is None:
            problem = "missing wait"
        elif c.group[k] == 0:
            problem = "the copy is in no group"
        else:
            problem = f"the wait leaves the group in flight, for {newer} of the thread's groups are newer"
        if wait is not None:
            notes.append(f"{place_of(wait.location)}the wait that does not cover it")
        return CompileError(
            f"{op.name}: {problem}: {clock.thread(mine)} {does} element {at} of workgroup memory, which thread "
            f"{thread} is still copying",
            op.location,
            notes,
        )


def copies_of(frame: Threads) -> Copies:
    if (found := frame.shared.get(Copies)) is None:
        found = frame.shared[Copies] = Copies(frame)
    return found


def row_map(buffer: Buffer) -> AffineMap:
    """A vector lies along a memref's last dimension."""
    rank = len(buffer.sizes)
    return AffineMap(rank, 0, (AffineExpr.dimension(rank - 1),))


def check_aligned(frame: Threads, op: Operation, what: str, at: Array, threads: Array, size: int, bytes_: int) -> None:
    """Check that rows begin at multiples of some bytes; their memory does."""
    if (wrong := at[..., 0] * size % bytes_ != 0).any():
        k = int(np.argmax(wrong))
        raise CompileError(
            f"{op.name}: expected a {what} at a multiple of {bytes_} bytes, found element {at[k, 0]} of {size} bytes, "
            f"in thread {threads[k]} of block {frame.block}",
            op.location,
        )


@in_launch("nvgpu.device_async_copy")
def _copy(frame: Threads, op: Operation) -> None:
    assert isinstance(op, CopyOp)
    target, count, threads = buffer_of(frame, op.dst), op.count, frame.active
    assert isinstance(target, Local)
    values = source_values(frame, op, buffer_of(frame, op.src), count)
    at = positions(frame, op, target, op.dst_indices, row_map(target), (count,))
    at = np.broadcast_to(at, (len(threads), count))
    size = target.flat.itemsize
    check_aligned(frame, op, "destination", at, threads, size, count * size)
    copies_of(frame).begin(op, target, at, values)
    frame.set(op, [None])


def source_values(frame: Threads, op: CopyOp, source: Buffer, count: int) -> Array:
    """What a copy reads in each running thread: zeros behind the number of elements that it gives."""
    threads, size = frame.active, source.flat.itemsize
    if op.src_elements is None:
        at = np.broadcast_to(
            positions(frame, op, source, op.src_indices, row_map(source), (count,)), (len(threads), count)
        )
        check_aligned(frame, op, "source", at, threads, size, count * size)
        note_read(frame, op, source, at, threads.reshape(-1, 1))
        return source.flat[at]
    wanted = np.broadcast_to(frame.of_active(op.src_elements), threads.shape)
    mask = np.arange(count) < wanted.reshape(-1, 1)
    everyone = np.zeros((frame.count, count), np.bool_)
    everyone[threads] = mask

    def of(who: Array) -> Array:
        index = [np.broadcast_to(index_of(frame, v, who, 1), (len(who), count)) for v in op.src_indices]
        index[-1] = index[-1] + np.arange(count)
        return np.asarray(source.positions(op, [i[everyone[who]] for i in index]))

    at = in_bounds(frame, of)
    note_read(frame, op, source, at, np.broadcast_to(threads.reshape(-1, 1), mask.shape)[mask])
    some = mask[:, 0]
    firsts = (np.cumsum(mask) - 1)[::count][some]
    check_aligned(frame, op, "source", at[firsts].reshape(-1, 1), threads[some], size, count * size)
    out = np.zeros(mask.shape, source.flat.dtype)
    out[mask] = source.flat[at]
    return out


@in_launch("nvgpu.device_async_create_group")
def _create_group(frame: Threads, op: Operation) -> None:
    assert isinstance(op, CreateGroupOp)
    copies_of(frame).close_group()
    frame.set(op, [None])


@in_launch("nvgpu.device_async_wait")
def _wait(frame: Threads, op: Operation) -> None:
    assert isinstance(op, WaitOp)
    copies_of(frame).wait(op, op.groups.value.data if op.groups is not None else 0)
