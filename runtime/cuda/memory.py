"""Memory that is used again: blocks of device memory, and pinned blocks of the host under large results.

A block goes back to the list of its size class (runtime/arena.py) when the last user's reference goes. Work that is
enqueued later in the device's stream may write it at once, so that nobody waits. What was lent to another stream is
ordered before it comes back (`lend`). Each list holds at most MLC_POOL_SIZE MiB. Where the device has no memory left,
what the list holds is freed first. In a forked child nothing is freed, for the memory is the parent's.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
from collections import deque
from ctypes import c_void_p
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arena import class_of, pool_limit
from .driver import OUT_OF_MEMORY, DeviceMemoryError

if TYPE_CHECKING:
    from .device import Device

ALIGNMENT = 256
"""Of each block."""

PINNED, MOST_PINNED = 1 << 16, 1 << 26
"""Bytes from which on, and up to which, a result on the host lies in pinned memory: its copy is two to four times as
fast, but to pin more takes longer than to copy it."""

LEGACY, PER_THREAD = 1, 2
"""Handles of the streams that always exist."""

MEMORY_TYPE = 2
HOST_MEMORY = 1


class Block:
    """Bytes on the device, not initialised; when it is collected they go back to the pool."""

    __slots__ = ("__weakref__", "address", "pool", "size", "streams")

    def __init__(self, pool: Pool, address: int, size: int) -> None:
        self.pool, self.address, self.size = pool, address, size
        self.streams: set[int] | None = None
        """Of others, that may use it."""

    def __del__(self) -> None:
        self.pool.returned.append((self.address, self.size, self.streams))


class Pool:
    """Blocks by size class. They come back from any thread, from the collector and from signal handlers, so they wait
    in a queue, which needs no lock, until the next one is asked for."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.limit = pool_limit()
        self.held = self.used = 0
        self.free: dict[int, list[int]] = {}
        """Addresses by size, the class used last at the end."""
        self.returned: deque[tuple[int, int, set[int] | None]] = deque()

    def allocate(self, size: int) -> int:
        raise NotImplementedError

    def release(self, address: int) -> None:
        raise NotImplementedError

    def ordered(self, streams: set[int]) -> bool:
        """May the memory be used again at once although work of other streams may still use it?"""
        return True

    def take(self, size: int, exact: bool = False) -> Block:
        """A block of at least so many bytes; `exact`: of no more than needed, as it will not come back soon."""
        wanted = size
        size = -(-max(size, 1) // ALIGNMENT) * ALIGNMENT if exact else class_of(max(size, ALIGNMENT))
        with self.device:
            self.collect()
            return self.pop(size, wanted)

    def again(self, size: int, wanted: int) -> Block:
        """As `pop`: the block that came back last, where it is just this, is what a row of calls uses again."""
        returned = self.returned
        if returned:
            last = returned.pop()
            if last[1] == size and last[2] is None:
                return Block(self, last[0], size)
            returned.append(last)
            self.collect()
        return self.pop(size, wanted)

    def pop(self, size: int, wanted: int) -> Block:
        """A block of just this size; behind the device's lock."""
        addresses = self.free.get(size)
        if addresses:
            self.held -= size
            address = addresses.pop()
        else:
            address = self._new(size, wanted)
        self.used += size
        return Block(self, address, size)

    def _new(self, size: int, wanted: int) -> int:
        try:
            return self.allocate(size)
        except DeviceMemoryError:
            self.clear()
        try:
            return self.allocate(size)
        except DeviceMemoryError as error:
            raise self.short(wanted) from error

    def short(self, size: int) -> DeviceMemoryError:
        device = self.device
        message = f"expected {size} bytes of memory on device {device.ordinal}, found {device.free_bytes()} free"
        note = f"arrays and programs of this process use {self.used} bytes of {device.properties.memory_bytes}"
        return DeviceMemoryError(message, None, [note])

    def collect(self) -> None:
        """Take the blocks that came back into the lists; behind the device's lock."""
        while self.returned:
            address, size, streams = self.returned.popleft()
            self.used -= size
            if streams is not None and not self.ordered(streams):
                self.release(address)
                continue
            self.held += size
            addresses = self.free.pop(size, None) or []
            addresses.append(address)
            self.free[size] = addresses
        while self.held > self.limit:
            oldest = next(iter(self.free))
            if self.free[oldest]:
                self.release(self.free[oldest].pop(0))
                self.held -= oldest
            else:
                del self.free[oldest]

    def clear(self) -> None:
        """Give all free blocks back to the system."""
        with self.device:
            self.collect()
            for addresses in self.free.values():
                for address in addresses:
                    self.release(address)
            self.free.clear()
            self.held = 0


class DevicePool(Pool):
    def __init__(self, device: Device) -> None:
        super().__init__(device)
        self._pinned: PinnedPool | None = None

    @property
    def pinned(self) -> PinnedPool:
        if self._pinned is None:
            self._pinned = PinnedPool(self.device)
        return self._pinned

    def allocate(self, size: int) -> int:
        with self.device as device:
            address: int | None = device.driver.got(c_void_p, "cuMemAlloc_v2", size)
        assert address
        return address

    def release(self, address: int) -> None:
        """The driver waits for the work that may use it."""
        with self.device as device:
            device.driver.function("cuMemFree_v2")(address)

    def ordered(self, streams: set[int]) -> bool:
        """The streams that always exist are waited for; of others nobody knows whether they still do."""
        device = self.device
        if not streams <= {LEGACY, PER_THREAD}:
            return False
        for stream in streams:
            device.order(stream, device.stream)
        return True

    def clear(self) -> None:
        """The arena too, if no program is at it, and what is free of memory in stream order."""
        with self.device as device:
            if not device.depth:
                device.arena = None
            super().clear()
            if device.stream_pool:
                device.driver.function("cuStreamSynchronize")(device.stream)
                device.driver.function("cuMemPoolTrimTo")(device.stream_pool, 0)


class PinnedPool(Pool):
    """Memory of the host that the device reaches itself."""

    def allocate(self, size: int) -> int:
        address = c_void_p()
        with self.device as device:
            status = device.driver.function("cuMemHostAlloc")(ctypes.addressof(address), size, 0)
        if status == OUT_OF_MEMORY or not address.value:
            raise DeviceMemoryError(f"expected {size} bytes of pinned memory, found less")
        return address.value

    def release(self, address: int) -> None:
        with self.device as device:
            device.driver.function("cuMemFreeHost")(address)

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
        """An array for a result, not initialised."""
        size = dtype.itemsize
        for n in shape:
            size *= n
        if not PINNED <= size <= MOST_PINNED:
            return np.empty(shape, dtype)
        try:
            block = self.take(size)
        except DeviceMemoryError:
            return np.empty(shape, dtype)
        lease = _lease(block.size).from_address(block.address)
        lease.block = block
        return np.ndarray(shape, dtype, lease)


def _lease(size: int) -> type[Any]:
    return _LEASES.setdefault(size, type("Lease", (ctypes.c_uint8 * size,), {}))


_LEASES: dict[int, type[Any]] = {}
"""Arrays over a lease of such a class keep its block alive."""


def is_pinned(device: Device, address: int) -> bool:
    """Is it host memory that the device reads by itself, later than a copy is enqueued?"""
    kind = ctypes.c_uint()
    with device:
        status = device.driver.function("cuPointerGetAttribute")(ctypes.addressof(kind), MEMORY_TYPE, address)
    return status == 0 and kind.value == HOST_MEMORY
