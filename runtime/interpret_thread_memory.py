"""Memory inside of a launch: loads, stores, transfers and gathers of many threads, and what they allocate.

Shared memory is new in every block and a thread's own memory new at every allocation; their elements must be written
before they are read. Global memory is that of the host's frame. Every access is checked against bounds, in the name of
its thread, and against the accesses of other threads (`interpret_races`).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from xdsl.dialects import memref, vector
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineMap

from ..dialects.errors import CompileError
from ..dialects.gpu import WORKGROUP
from ..dialects.vector.ops import GatherOp
from .interpret_arith import Array, poison
from .interpret_races import Accesses
from .interpret_threads import Lanes, Threads, in_launch
from .interpret_vector import Buffer, buffer_of, places, row_major, transferred
from .interpreter import handler_of


@dataclass(frozen=True)
class Local(Buffer):
    """Memory of a block, whose accesses are kept, or of its threads: each has `apart` elements, in a row."""

    accesses: Accesses | None = None
    apart: int = 0
    written: Array | None = None
    """Which elements of threads' own memory have a value."""


def register() -> None:
    """Importing this file fills the table."""


# ---- allocations and views
@in_launch("memref.alloc", "memref.alloca")
def _alloc(frame: Threads, op: Operation) -> None:
    assert isinstance(op, memref.AllocOp | memref.AllocaOp)
    kind = op.results[0].type
    assert isinstance(kind, MemRefType)
    shared = kind.memory_space == WORKGROUP
    if op.dynamic_sizes or not (shared or isinstance(op, memref.AllocaOp)):
        raise CompileError(f"{op.name}: expected workgroup or private memory of static size, found {kind}", op.location)
    sizes = tuple(kind.get_shape())
    count, strides = prod(sizes), row_major(sizes)
    if not shared:
        flat, written = poison([frame.count * count], kind.element_type), np.zeros(frame.count * count, np.bool_)
        frame.set(op, [Local(flat, 0, 0, sizes, strides, None, count, written)])
        return
    if (found := frame.shared.get(op)) is None:
        accesses = Accesses(frame.launch.clock, count, shared=True)
        found = frame.shared[op] = Local(poison([count], kind.element_type), 0, 0, sizes, strides, accesses)
    elif found.accesses.written is not None:  # a loop's next trip: the same memory, of which nothing is known
        found.accesses.written[:] = False
    frame.set(op, [found])


@in_launch("memref.reinterpret_cast")
def _reinterpret_cast(frame: Threads, op: Operation) -> None:
    assert isinstance(op, memref.ReinterpretCastOp)
    if not any(isinstance(frame[v], Lanes) for v in op.operands[1:]):
        return handler_of(op)(frame, op)
    if len(op.offsets) != 1 or any(isinstance(frame[v], Lanes) for v in (*op.sizes, *op.strides)):
        raise CompileError(f"{op.name}: expected the same sizes and strides in all threads", op.location)
    offset = frame.lanes(op.offsets[0])
    frame[op.offsets[0]] = np.int64(0)
    try:
        handler_of(op)(frame, op)
    finally:
        frame[op.offsets[0]] = Lanes(offset)
    view = frame[op.results[0]]
    frame.set(op, [replace(view, start=view.start + offset)])


# ---- where a thread's elements lie
def index_of(frame: Threads, value: SSAValue, who: Array, rank: int) -> Array:
    """The value in some threads, with axes for the dimensions of a vector behind; without axes where all have one."""
    found = frame[value]
    return found.data[who].reshape((-1, *(1,) * rank)) if isinstance(found, Lanes) else np.asarray(found)


def positions(
    frame: Threads, op: Operation, buffer: Buffer, indices: Sequence[SSAValue], amap: AffineMap, sizes: Sequence[int]
) -> Array:
    """Where the elements of all running threads lie: with an axis of threads in front if that differs."""

    def of(who: Array) -> Array:
        own, rank = buffer, len(sizes)
        if np.ndim(buffer.start):
            own = replace(buffer, start=np.asarray(buffer.start)[who].reshape((-1, *(1,) * rank)))
        at = places(op, own, [index_of(frame, v, who, rank) for v in indices], amap, sizes)
        if isinstance(buffer, Local) and buffer.apart:
            at = at + who.reshape((-1, *(1,) * rank)) * buffer.apart
        return np.asarray(at)

    return in_bounds(frame, of)


def in_bounds(frame: Threads, of: Any) -> Array:
    """What `of` gives for all running threads; its error in the name of the first thread that has it."""
    try:
        return of(frame.active)
    except CompileError:
        for thread in frame.active:
            try:
                of(np.array([thread]))
            except CompileError as error:
                who = f"in thread {thread} of block {frame.block}"
                raise CompileError(f"{error.message}, {who}", error.location, error.notes) from error
        raise


def accesses_of(frame: Threads, buffer: Buffer) -> tuple[Accesses | None, int]:
    """What is known about accesses of the memory that a buffer lies in, and where its first element is there."""
    if isinstance(buffer, Local):
        return buffer.accesses, 0
    root = buffer.flat
    while isinstance(root.base, np.ndarray):
        root = root.base
    low, high = np.lib.array_utils.byte_bounds(root)
    width = buffer.flat.itemsize
    if (found := frame.launch.accesses.get((low, width))) is None:
        found = Accesses(frame.launch.clock, -(-(high - low) // width), shared=False)
        frame.launch.accesses[low, width] = found
    return found, (buffer.flat.__array_interface__["data"][0] - low) // width


# ---- reading and writing
def read(frame: Threads, op: Operation, buffer: Buffer, at: Array, sizes: Sequence[int]) -> Any:
    """The elements at places that have an axis of threads in front, or the same for all threads."""
    differ, who = at.ndim > len(sizes), frame.active
    unused = frame.launch.guards.unused(frame, op)
    use = None if unused is None or not unused[who].any() else ~unused[who]
    readers = who if use is None else who[use]
    if differ:
        places_read = at if use is None else at[use]
    else:
        readers = readers[:2]  # two stand for all
        places_read = np.broadcast_to(at, (len(readers), *at.shape))
    note_read(frame, op, buffer, places_read, readers.reshape((-1, *(1,) * len(sizes))))
    found = buffer.flat[at]
    if not differ:
        return np.broadcast_to(found, sizes)
    found = np.broadcast_to(found, (len(who), *sizes))
    if frame.all_run:
        return Lanes(found)
    out = np.zeros((frame.count, *sizes), found.dtype)
    out[who] = found
    return Lanes(out)


def note_read(frame: Threads, op: Operation, buffer: Buffer, at: Array, threads: Array) -> None:
    """Check that elements may be read, and remember that they were."""
    if isinstance(buffer, Local) and buffer.written is not None:
        if not (ok := buffer.written[at]).all():
            k = np.unravel_index(int(np.argmin(ok)), ok.shape)
            who = f"thread {np.broadcast_to(threads, at.shape)[k]} of block {frame.block}"
            element = at[k] % buffer.apart
            raise CompileError(
                f"{op.name}: {who} reads element {element} of its own memory, which nothing has written", op.location
            )
        return
    accesses, start = accesses_of(frame, buffer)
    assert accesses is not None
    accesses.read(op, at, threads, start)


def write(frame: Threads, op: Operation, buffer: Buffer, at: Array, value: SSAValue, sizes: Sequence[int]) -> None:
    """Write a value to places that have an axis of threads in front, or are the same for all threads."""
    differ = at.ndim > len(sizes) or isinstance(frame[value], Lanes)
    who = frame.active if differ else frame.active[:2]  # two writers stand for all
    new = np.broadcast_to(np.asarray(frame.of_active(value), buffer.flat.dtype), (len(who), *sizes))
    threads = who.reshape((-1, *(1,) * len(sizes)))
    store(frame, op, buffer, np.broadcast_to(at, (len(who), *sizes)), threads, new)


def store(frame: Threads, op: Operation, buffer: Buffer, at: Array, threads: Array, new: Array) -> None:
    """Check that threads may write elements, write them, and remember it."""
    if isinstance(buffer, Local) and buffer.written is not None:
        buffer.flat[at] = new
        buffer.written[at] = True
        return
    accesses, start = accesses_of(frame, buffer)
    assert accesses is not None
    accesses.write(op, at, threads, start, buffer.flat[at], new)
    buffer.flat[at] = new
    accesses.check_together(op, at, threads, start, new, buffer.flat[at])


NO_VECTOR = AffineMap(0, 0, ())


@in_launch("memref.load")
def _load(frame: Threads, op: Operation) -> None:
    buffer = buffer_of(frame, op.operands[0])
    at = positions(frame, op, buffer, op.operands[1:], NO_VECTOR, ())
    frame.set(op, [read(frame, op, buffer, at, ())])


@in_launch("memref.store")
def _store(frame: Threads, op: Operation) -> None:
    buffer = buffer_of(frame, op.operands[1])
    at = positions(frame, op, buffer, op.operands[2:], NO_VECTOR, ())
    write(frame, op, buffer, at, op.operands[0], ())


def _transfer(
    frame: Threads, op: vector.TransferReadOp | vector.TransferWriteOp, value: SSAValue
) -> tuple[Buffer, Array, Sequence[int]]:
    """The buffer, where the elements of each thread's vector lie in it, and the vector's shape."""
    buffer, sizes = buffer_of(frame, op.source), transferred(op, value)
    return buffer, positions(frame, op, buffer, op.indices, op.permutation_map.data, sizes), sizes


@in_launch("vector.transfer_read")
def _transfer_read(frame: Threads, op: Operation) -> None:
    assert isinstance(op, vector.TransferReadOp)
    buffer, at, sizes = _transfer(frame, op, op.result)
    frame.set(op, [read(frame, op, buffer, at, sizes)])


@in_launch("vector.transfer_write")
def _transfer_write(frame: Threads, op: Operation) -> None:
    assert isinstance(op, vector.TransferWriteOp)
    buffer, at, sizes = _transfer(frame, op, op.vector)
    write(frame, op, buffer, at, op.vector, sizes)


@in_launch("vector.gather")
def _gather(frame: Threads, op: Operation) -> None:
    assert isinstance(op, GatherOp)
    buffer = buffer_of(frame, op.base)
    index, mask = frame.lanes(op.indices), np.asarray(frame.lanes(op.mask), np.bool_)
    first = frame.lanes(op.offset).reshape((-1, *(1,) * (index.ndim - 1)))
    out = np.array(frame.lanes(op.pass_thru))
    threads = np.broadcast_to(frame.everyone.reshape(first.shape), index.shape)
    apart = buffer.apart if isinstance(buffer, Local) else 0

    def of(who: Array) -> Array:
        at = (first + index)[who][mask[who]]
        own = buffer if not np.ndim(buffer.start) else replace(buffer, start=np.asarray(buffer.start)[threads[mask]])
        return buffer_positions(op, own, at) + apart * threads[who][mask[who]]

    at = in_bounds(frame, of)
    runs = np.zeros_like(mask)
    runs[frame.active] = mask[frame.active]
    note_read(frame, op, buffer, at, threads[runs])
    out[runs] = buffer.flat[at]
    frame.set(op, [Lanes(out)])


def buffer_positions(op: Operation, buffer: Buffer, at: Array) -> Array:
    return np.asarray(buffer.positions(op, [at]))
