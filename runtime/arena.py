"""Memory that is used again: arenas of calls, and the buffers of large results whose arrays are gone.

A block goes back to a free list by its size, which holds at most `LIMIT` bytes, so that a program called in a loop
touches the same pages. List operations are atomic, so threads share the lists; a block has one user at a time.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np

from .abi import ALIGNMENT

LIMIT = 1 << 30
POOLED = 1 << 17
"""Smaller results come from NumPy's own allocator, which is faster then."""


class Block:
    """Bytes aligned to 64."""

    __slots__ = ("address", "size", "storage")

    def __init__(self, size: int) -> None:
        self.storage = np.empty(size + ALIGNMENT, np.uint8)
        base: int = self.storage.ctypes.data
        self.address = -(-base // ALIGNMENT) * ALIGNMENT
        self.size = size


class FreeList:
    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.held = 0
        self.blocks: dict[int, list[Block]] = {}

    def take(self, size: int) -> Block:
        blocks = self.blocks.get(size)
        if blocks:
            try:
                block = blocks.pop()
            except IndexError:  # another thread was faster
                return Block(size)
            self.held -= size
            return block
        return Block(size)

    def give(self, block: Block) -> None:
        if self.held + block.size > self.limit:
            self.blocks.clear()
            self.held = 0
            if block.size > self.limit:
                return
        self.blocks.setdefault(block.size, []).append(block)
        self.held += block.size


ARENAS = FreeList()
RESULTS = FreeList()


@functools.cache
def lease_type(size: int) -> type[Any]:
    """Arrays over a lease keep it alive; with the last of them its block goes back."""

    def __del__(self: Any) -> None:
        RESULTS.give(self.block)

    return type("Lease", (ctypes.c_uint8 * size,), {"__del__": __del__})


def allocate(shape: tuple[int, ...], dtype: np.dtype[Any], aligned: bool) -> np.ndarray[Any, Any]:
    """An array for a result, not initialised."""
    size = dtype.itemsize
    for n in shape:
        size *= n
    if size < POOLED and not (aligned and size):
        return np.empty(shape, dtype)
    block = RESULTS.take(size)
    lease = lease_type(size).from_address(block.address)
    lease.block = block
    return np.ndarray(shape, dtype, lease)
