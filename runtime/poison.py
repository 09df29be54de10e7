"""Memory for tests, chosen by MLC_POISON=1: filled with NaN before every call, with guard bytes around it.

What a program reads before it writes shows as NaN (integers: -1, an i1 that is no i1). After each call the bytes around
results and arena, and the arguments that the program may not write, are compared with what they were; AssertionError if
they changed. Results start as unaligned as the program must accept.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from .abi import ALIGNMENT
from .arena import MOST, Block, no_memory

Array = np.ndarray[Any, Any]

NAN, EDGE = 0xFF, 0xA5
GUARD = 64
WATCHED = 1 << 20
"""Larger arguments are not compared."""


def on() -> bool:
    return os.environ.get("MLC_POISON", "0").strip().lower() not in ("", "0", "no", "off", "false")


class Storage(np.ndarray[Any, Any]):
    """The bytes under a result, and where it starts in them. It owns them: the base of a view is the owner."""

    start = 0


def _guarded(size: int, skew: int) -> tuple[Storage, int]:
    """Storage, and where in it `size` poisoned bytes begin, so that their address is `skew` above a multiple of 64."""
    if size >= MOST:
        raise no_memory(size)
    try:
        storage = Storage(size + 2 * GUARD + ALIGNMENT, np.uint8)
    except MemoryError:
        raise no_memory(size) from None
    start = storage.start = GUARD + (skew - GUARD - int(storage.ctypes.data)) % ALIGNMENT
    storage[:start] = EDGE
    storage[start : start + size] = NAN
    storage[start + size :] = EDGE
    return storage, start


def _check(storage: Array, start: int, size: int, what: str) -> None:
    before, after = storage[:start], storage[start + size :]
    if (before != EDGE).any() or (after != EDGE).any():
        low = int(np.flatnonzero(before != EDGE)[0]) - start if (before != EDGE).any() else None
        high = int(np.flatnonzero(after != EDGE)[0]) if (after != EDGE).any() else None
        where = f"{-low} bytes before it" if low is not None else f"{high} bytes after its end"
        raise AssertionError(f"the program wrote outside of {what} of {size} bytes: {where}")


class GuardedBlock(Block):
    __slots__ = ("start",)

    def __init__(self, size: int) -> None:
        self.storage, self.start = _guarded(size, 0)
        self.address = int(self.storage.ctypes.data) + self.start
        self.size = size


def take(size: int) -> Block:
    return GuardedBlock(size)


def give(block: Block) -> None:
    assert isinstance(block, GuardedBlock)
    _check(block.storage, block.start, block.size, "the arena")


def allocate(shape: tuple[int, ...], dtype: np.dtype[Any], aligned: bool) -> Array:
    size = dtype.itemsize
    for n in shape:
        size *= n
    storage, start = _guarded(size, 0 if aligned else dtype.itemsize)
    return np.ndarray(shape, dtype, storage, start)


def _sum(array: Array) -> int:
    return zlib.crc32(array.tobytes()) if 0 < array.nbytes <= WATCHED else 0


def seal(arrays: Sequence[Any]) -> list[int]:
    """What is compared of the arguments after the call."""
    return [_sum(a) for a in arrays]


def check(arrays: Sequence[Any], seals: Sequence[int], donated: Sequence[bool], results: Sequence[Array]) -> None:
    for i, (array, seal_, given) in enumerate(zip(arrays, seals, donated, strict=True)):
        if not given and _sum(array) != seal_:
            raise AssertionError(f"the program wrote to argument {i}, which is not donated")
    for i, array in enumerate(results):
        storage = array.base
        if isinstance(storage, Storage):
            _check(storage, storage.start, array.nbytes, f"result {i}")
