"""A GPU: its primary context, the stream of all its work, what it is.

    device = current()                       MLC_CUDA_DEVICE, or the first
    with device: ...                         its context is the thread's, and no other thread enqueues work

All work of this process that comes from mlc is in one stream, in the order in which it is enqueued: memory that comes
back is used again by what comes later, without waiting. The stream is ordered with the legacy default stream, where
other libraries put their work if they are not told otherwise; graphs are recorded in another one, which is not.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections import deque
from ctypes import c_int, c_size_t, c_void_p
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...dialects.errors import CompileError
from ..arena import pool_limit
from . import driver as driver_
from .driver import NOT_READY, Driver, check_process, load

if TYPE_CHECKING:
    from .memory import Block, DevicePool

NON_BLOCKING = 1
DISABLE_TIMING = 2
RELEASE_THRESHOLD = 4

ATTRIBUTES = {
    "warp": 10,
    "registers": 12,
    "clock_khz": 13,
    "multiprocessors": 16,
    "memory_clock_khz": 36,
    "memory_bus_bits": 37,
    "cache_bytes": 38,
    "threads_per_multiprocessor": 39,
    "major": 75,
    "minor": 76,
    "shared_per_multiprocessor": 81,
    "shared_per_block": 97,
}
"""CUdevice_attribute; `shared_per_block` is what a kernel may have that asks for it."""


@dataclass(frozen=True)
class Properties:
    """What a GPU is, without a word of what is compiled for it."""

    name: str
    sm: str
    memory_bytes: int
    driver_version: int
    uuid: str
    warp: int
    registers: int
    clock_khz: int
    multiprocessors: int
    memory_clock_khz: int
    memory_bus_bits: int
    cache_bytes: int
    threads_per_multiprocessor: int
    major: int
    minor: int
    shared_per_multiprocessor: int
    shared_per_block: int


def sm_name(major: int, minor: int) -> str:
    """`sm_80`; with the features of its own architecture for the kinds that have some: `sm_90a`."""
    return f"sm_{major}{minor}" + ("a" if major >= 9 else "")


def runs(code: str, sm: str) -> bool:
    """Does PTX for one architecture run on a GPU of another?"""
    if code.endswith("a"):
        return code == sm
    digits = [int(s.removeprefix("sm_").rstrip("af")) for s in (code, sm)]
    return digits[0] // 10 == digits[1] // 10 if code.endswith("f") else digits[0] <= digits[1]


class Device:
    """One GPU."""

    def __init__(self, driver: Driver, ordinal: int) -> None:
        self.driver, self.ordinal = driver, ordinal
        self.handle: int = driver.got(c_int, "cuDeviceGet", ordinal)
        self.context: int = driver.got(c_void_p, "cuDevicePrimaryCtxRetain", self.handle)
        self.lock = threading.RLock()
        self._pushed: list[bool] = []
        self._gone: deque[tuple[str, int]] = deque()
        self.left: deque[Any] = deque()
        """Owners of memory that was borrowed and is not any more; work that is enqueued may still read it."""
        self.retained: deque[tuple[int, Any]] = deque()
        self.depth = 0
        """Programs that are being enqueued: more than one where one's print calls another."""
        self.arena: Block | None = None
        self._events: list[int] = []
        self._pool: DevicePool | None = None
        self._get, self._seen = driver.function("cuCtxGetCurrent"), c_void_p()
        self._seen_at = ctypes.addressof(self._seen)
        with self:
            self.stream: int = driver.got(c_void_p, "cuStreamCreate", 0)
            self.recording: int = driver.got(c_void_p, "cuStreamCreate", NON_BLOCKING)
            self.stream_pool = c_void_p()
            """Where programs have memory in stream order from; NULL: there is none."""
            if not driver.function("cuDeviceGetDefaultMemPool")(ctypes.addressof(self.stream_pool), self.handle):
                kept = ctypes.c_uint64(pool_limit())  # after a wait, where it would keep none
                driver.function("cuMemPoolSetAttribute")(self.stream_pool, RELEASE_THRESHOLD, ctypes.addressof(kept))
        self.properties = self._properties()

    def _properties(self) -> Properties:
        driver, handle = self.driver, self.handle
        name, uuid = ctypes.create_string_buffer(256), (ctypes.c_ubyte * 16)()
        driver.call("cuDeviceGetName", ctypes.addressof(name), len(name), handle)
        driver.call("cuDeviceGetUuid", ctypes.addressof(uuid), handle)
        found: dict[str, int] = {
            k: driver.got(c_int, "cuDeviceGetAttribute", number, handle) for k, number in ATTRIBUTES.items()
        }
        digits = bytes(uuid).hex()
        return Properties(
            name=name.value.decode(errors="replace"),
            sm=sm_name(found["major"], found["minor"]),
            memory_bytes=driver.got(c_size_t, "cuDeviceTotalMem_v2", handle),
            driver_version=driver.version(),
            uuid="-".join(["GPU", digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]]),
            **found,
        )

    # ---- the context
    def __enter__(self) -> Device:
        """Work may be enqueued: the device is this thread's, and other threads wait."""
        if driver_.forked_child:
            check_process()
        self.lock.acquire()
        try:
            self._get(self._seen_at)
            other = self._seen.value != self.context
            if other:
                self.driver.call("cuCtxPushCurrent_v2", self.context)
        except BaseException:
            self.lock.release()
            raise
        self._pushed.append(other)
        if self._gone or self.left or self.retained:
            self._tidy()
        return self

    def __exit__(self, *_: object) -> None:
        if self._pushed.pop():
            gone = c_void_p()
            self.driver.function("cuCtxPopCurrent_v2")(ctypes.addressof(gone))
        self.lock.release()

    def _tidy(self) -> None:
        """Destroy what waits for it, and keep the owners of memory until all work that is enqueued now is done."""
        while self._gone:
            name, handle = self._gone.popleft()
            if name == "cuModuleUnload":  # its kernels may still run
                self.driver.function("cuStreamSynchronize")(self.stream)
            self.driver.function(name)(handle)
        if self.left:
            owners = [self.left.popleft() for _ in range(len(self.left))]
            with contextlib.suppress(
                CompileError, driver_.DriverError
            ):  # of a context that is lost: nothing runs there
                event = self.event()
                self.driver.call("cuEventRecord", event, self.stream)
                self.retained.append((event, owners))
        query = self.driver.function("cuEventQuery")
        while self.retained and query(self.retained[0][0]) != NOT_READY:
            self.give_event(self.retained.popleft()[0])

    def later(self, name: str, handle: int) -> None:
        """Let a function of the driver destroy something, from a finalizer: it must take no lock."""
        self._gone.append((name, handle))

    # ---- order
    def synchronize(self, doing: str = "cuStreamSynchronize") -> None:
        """Wait until all work is done; what went wrong in it is raised. Other threads go on meanwhile."""
        check_process()
        driver, seen = self.driver, c_void_p()
        self._get(ctypes.addressof(seen))
        other = seen.value != self.context
        if other:
            driver.call("cuCtxPushCurrent_v2", self.context)
        try:
            status = driver.function("cuStreamSynchronize")(self.stream)
        finally:
            if other:
                driver.function("cuCtxPopCurrent_v2")(ctypes.addressof(seen))
        if status:
            driver.fail(status, doing)

    def event(self) -> int:
        """An event without a time; behind the lock."""
        return self._events.pop() if self._events else self.driver.got(c_void_p, "cuEventCreate", DISABLE_TIMING)

    def give_event(self, event: int) -> None:
        self._events.append(event)

    def order(self, first: int, then: int) -> None:
        """What is enqueued in a stream from now on waits for what is in another now."""
        if first != then:
            with self:
                event = self.event()
                self.driver.call("cuEventRecord", event, first)
                self.driver.call("cuStreamWaitEvent", then, event, 0)
                self.give_event(event)

    # ---- memory
    @property
    def pool(self) -> DevicePool:
        if self._pool is None:
            from .memory import DevicePool

            self._pool = DevicePool(self)
        return self._pool

    def free_bytes(self) -> int:
        free, total = c_size_t(), c_size_t()
        with self:
            self.driver.call("cuMemGetInfo_v2", ctypes.addressof(free), ctypes.addressof(total))
        return free.value

    def copy_in(self, to: int, host: int, size: int) -> None:
        """From memory of the host, which may be changed when this returns."""
        if size:
            with self:
                self.driver.call("cuMemcpyHtoDAsync_v2", to, host, size, self.stream)

    def copy_out(self, host: int, at: int, size: int) -> None:
        """To memory of the host; it is there after `synchronize`."""
        if size:
            with self:
                self.driver.call("cuMemcpyDtoHAsync_v2", host, at, size, self.stream)

    def copy(self, to: int, at: int, size: int) -> None:
        if size:
            with self:
                self.driver.call("cuMemcpyDtoDAsync_v2", to, at, size, self.stream)

    def fill(self, at: int, byte: int, size: int) -> None:
        if size:
            with self:
                self.driver.call("cuMemsetD8Async", at, byte, size, self.stream)

    def read(self, at: int, size: int) -> bytes:
        """Bytes of the device, after all work before."""
        data = ctypes.create_string_buffer(max(size, 1))
        self.copy_out(ctypes.addressof(data), at, size)
        self.synchronize()
        return data.raw[:size]

    def __repr__(self) -> str:
        return f"<Device {self.ordinal}: {self.properties.name}, {self.properties.sm}>"


_lock = driver_.ForkLock()


def chosen() -> int:
    """The device that MLC_CUDA_DEVICE names."""
    text = os.environ.get("MLC_CUDA_DEVICE", "").strip() or "0"
    if not text.isdigit():
        raise CompileError(f"MLC_CUDA_DEVICE: expected a device's number, found {text}")
    return int(text)


def current(ordinal: int | None = None) -> Device:
    """The device of a number, or that of MLC_CUDA_DEVICE."""
    driver = load()
    ordinal = chosen() if ordinal is None else ordinal
    found: Device | None = driver.devices.get(ordinal)
    if found is not None:
        return found
    with _lock:
        count: int = driver.got(c_int, "cuDeviceGetCount")
        if not count:
            driver.fail(100, "cuDeviceGetCount")
        if not 0 <= ordinal < count:
            raise CompileError(f"expected a device from 0 to {count - 1}, found {ordinal}; see MLC_CUDA_DEVICE")
        if ordinal not in driver.devices:
            driver.devices[ordinal] = Device(driver, ordinal)
        return driver.devices[ordinal]


def available() -> str | None:
    """Why no program can run on a GPU here; None: one can."""
    try:
        current()
    except CompileError as error:
        return error.message
    return None


def all_properties() -> list[Properties]:
    """What each device is, for machine descriptions."""
    count: int = load().got(c_int, "cuDeviceGetCount")
    return [current(k).properties for k in range(count)]
