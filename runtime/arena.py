"""Memory that is used again: arenas of calls, and the buffers of large results whose arrays are gone.

A block goes back to the free list of its size class, so that a program called in a loop touches the same pages. Each of
the two lists holds at most MLC_POOL_SIZE MiB; beyond that, the blocks of the classes that were used longest ago go. A
block has one user at a time.

Blocks come back from any thread, from the collector in the middle of another operation, and from signal handlers: the
lock is reentrant, nothing else is called while it is held, and `held` is never below what the lists hold. A forked
child starts with a new lock.
"""

from __future__ import annotations

import ctypes
import functools
import os
import threading
from typing import Any

import numpy as np

from .abi import ALIGNMENT

POOLED = 1 << 17
"""Smaller results come from NumPy's own allocator, which is faster then."""

MOST = 1 << 62
"""Sizes from here on are no memory of any machine."""


def pool_limit() -> int:
    """Bytes that each list may hold, from MLC_POOL_SIZE."""
    try:
        return int(max(0.0, float(os.environ.get("MLC_POOL_SIZE") or 1024)) * (1 << 20))
    except (ValueError, OverflowError):
        return 1 << 30


def class_of(size: int) -> int:
    """The size rounded up to one of eight steps per power of two, so that there are few classes."""
    step = 1 << max(6, size.bit_length() - 4)
    return -(-size // step) * step


def no_memory(size: int) -> MemoryError:
    return MemoryError(f"expected {size} bytes of memory, found less")


class Block:
    """Bytes aligned to 64, not initialised. MemoryError if there are not so many."""

    __slots__ = ("address", "size", "storage")

    def __init__(self, size: int) -> None:
        if size >= MOST:
            raise no_memory(size)
        self.storage = np.empty(size + ALIGNMENT, np.uint8)
        base: int = self.storage.ctypes.data
        self.address = -(-base // ALIGNMENT) * ALIGNMENT
        self.size = size


class FreeList:
    def __init__(self, limit: int | None = None) -> None:
        self.limit = pool_limit() if limit is None else limit
        self.held = 0
        self.blocks: dict[int, list[Block]] = {}
        """By size, the class used last at the end."""
        self.lock = threading.RLock()

    def take(self, size: int) -> Block:
        """A block of at least so many bytes."""
        wanted, size = size, class_of(size)
        with self.lock:
            blocks = self.blocks.get(size)
            if blocks:
                block = blocks.pop()
                self.held -= size
                return block
        try:
            return Block(size)
        except MemoryError:
            raise no_memory(wanted) from None

    def give(self, block: Block) -> None:
        size = block.size
        with self.lock:
            self.held += size
            blocks = self.blocks.pop(size, None) or []
            blocks.append(block)
            self.blocks[size] = blocks
            while self.held > self.limit:
                oldest = next(iter(self.blocks))
                blocks = self.blocks[oldest]
                if blocks:
                    blocks.pop()
                    self.held -= oldest
                else:
                    del self.blocks[oldest]

    def clear(self) -> None:
        """Give all blocks back to the system."""
        with self.lock:
            self.blocks.clear()
            self.held = 0

    def after_fork(self) -> None:
        """Another thread of the parent may have stood in the middle of `give`."""
        self.lock = threading.RLock()
        self.held = sum(size * len(blocks) for size, blocks in self.blocks.items())


ARENAS = FreeList()
RESULTS = FreeList()


def _after_fork() -> None:
    ARENAS.after_fork()
    RESULTS.after_fork()


os.register_at_fork(after_in_child=_after_fork)


take, give = ARENAS.take, ARENAS.give


@functools.cache
def lease_type(size: int) -> type[Any]:
    """Arrays over a lease of this class keep it alive; with the last of them its block goes back."""

    def __del__(self: Any, give: Any = RESULTS.give) -> None:
        give(self.block)

    return type("Lease", (ctypes.c_uint8 * size,), {"__del__": __del__})


def allocate(shape: tuple[int, ...], dtype: np.dtype[Any], aligned: bool) -> np.ndarray[Any, Any]:
    """An array for a result, not initialised. MemoryError if there is not so much memory."""
    size = dtype.itemsize
    for n in shape:
        size *= n
    if size < POOLED and not (aligned and size):
        return np.empty(shape, dtype)
    block = RESULTS.take(size)
    lease = lease_type(block.size).from_address(block.address)
    lease.block = block
    return np.ndarray(shape, dtype, lease)
