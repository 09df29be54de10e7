"""A CUDA driver without a GPU: libcuda's functions as ctypes callbacks over the host's memory.

An address of the device is the host's plus SHIFT, which no process can read, so that a device's address that the host
uses is a crash. Work is not done when it is enqueued, but when somebody waits, so that a missing wait shows.
Kernels are Python functions of a module's entries; a module's "PTX" is their names.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections import Counter
from ctypes import c_char_p, c_int, c_size_t, c_ubyte, c_uint, c_uint64, c_void_p
from typing import Any

import numpy as np
from mlc.runtime.cuda.driver import PROTOTYPES

SHIFT = 1 << 62
KINDS = {"p": c_uint64, "i": ctypes.c_int64, "f": ctypes.c_float}

OUT_OF_MEMORY, INVALID_VALUE, INVALID_PTX, TOO_NEW, ILLEGAL_ADDRESS, NOT_READY = 2, 1, 218, 222, 700, 600

INVALID_CONTEXT = 201
NEED_CONTEXT = {
    *("cuMemAlloc_v2", "cuMemFree_v2", "cuMemHostAlloc", "cuMemFreeHost", "cuMemAllocAsync", "cuMemFreeAsync"),
    *("cuMemcpyHtoDAsync_v2", "cuMemcpyDtoHAsync_v2", "cuMemcpyDtoDAsync_v2", "cuMemsetD8Async", "cuLaunchKernel"),
    *("cuStreamCreate", "cuStreamSynchronize", "cuStreamWaitEvent", "cuStreamBeginCapture_v2", "cuStreamEndCapture"),
    *("cuEventCreate", "cuEventRecord", "cuEventQuery", "cuGraphInstantiateWithFlags", "cuGraphLaunch"),
    *("cuModuleLoadData", "cuModuleUnload", "cuModuleGetFunction"),
}


def host(address: int) -> int:
    assert address >= SHIFT, f"expected an address of the device, found {address:#x}"
    return address - SHIFT


def view(address: int, n: int, dtype: Any = np.float32) -> np.ndarray:
    """Elements on the device, for kernels."""
    size = n * np.dtype(dtype).itemsize
    return np.frombuffer((c_ubyte * size).from_address(host(address)), dtype)


class FakeDriver:
    """`kernels`: by entry, the kinds of the parameters and a function of grid, threads, shared bytes and the values."""

    def __init__(self, kernels: dict[str, tuple[str, Any]], **options: Any) -> None:
        self.kernels = kernels
        self.devices = options.get("devices", 1)
        self.capability = options.get("capability", (9, 0))
        self.version = options.get("version", 13000)
        self.total = options.get("total", 1 << 26)
        self.newest_ptx = options.get("newest_ptx", 8.8)
        self.calls: Counter[str] = Counter()
        self.launched: list[tuple[str, int, int, int]] = []
        self.queue: list[Any] = []
        self.enqueued = 0
        self.lock = threading.RLock()
        self.memory: dict[int, np.ndarray] = {}
        self.pinned: dict[int, np.ndarray] = {}
        self.handles: dict[int, Any] = {}
        self.capturing: list[Any] | None = None
        self.capture_stream = self.capture_thread = 0
        self.threads = threading.local()
        self.fail: dict[str, int] = {}
        """CUresult by function, for the next call."""
        self.broken = 0
        """CUresult of the next wait."""
        self.attributes: list[tuple[str, int, int]] = []
        self.kept: list[Any] = []
        for name, kinds in PROTOTYPES.items():
            setattr(self, name, self._callback(name, kinds))

    def _callback(self, name: str, kinds: tuple[Any, ...]) -> Any:
        method = getattr(self, "_" + name.removesuffix("_v2"))

        def called(*arguments: Any) -> int:
            self.calls[name] += 1
            if name in NEED_CONTEXT and not self.current[-1]:
                return INVALID_CONTEXT
            if name in self.fail:
                if name == "cuStreamEndCapture":
                    self.capturing = None
                return self.fail.pop(name)
            try:
                return method(*arguments) or 0
            except Exception as error:
                import traceback

                traceback.print_exc()
                self.kept.append(error)
                return 999

        return ctypes.CFUNCTYPE(c_int, *kinds)(called)

    def handle(self, what: Any) -> int:
        number = 0x1000 + 16 * len(self.handles)
        self.handles[number] = what
        return number

    @property
    def current(self) -> list[int]:
        """The contexts of this thread, the current one last."""
        if not hasattr(self.threads, "contexts"):
            self.threads.contexts = [0]
        return self.threads.contexts

    @property
    def used(self) -> int:
        return sum(a.nbytes for a in self.memory.values())

    # ---- devices and contexts
    def _cuInit(self, flags):
        return 0

    def _cuDriverGetVersion(self, to):
        c_int.from_address(to).value = self.version

    def _cuDeviceGetCount(self, to):
        c_int.from_address(to).value = self.devices

    def _cuDeviceGet(self, to, ordinal):
        c_int.from_address(to).value = ordinal

    def _cuDeviceGetName(self, to, size, device):
        ctypes.memmove(to, b"Fake GPU\0", 9)

    def _cuDeviceGetUuid(self, to, device):
        ctypes.memmove(to, bytes(range(16)), 16)

    def _cuDeviceGetAttribute(self, to, what, device):
        values = {75: self.capability[0], 76: self.capability[1], 16: 132, 97: 227 << 10, 10: 32}
        c_int.from_address(to).value = values.get(what, 1)

    def _cuDeviceTotalMem(self, to, device):
        c_size_t.from_address(to).value = self.total

    def _cuDeviceGetDefaultMemPool(self, to, device):
        c_void_p.from_address(to).value = 77

    def _cuMemPoolSetAttribute(self, pool, what, value):
        assert (pool, what) == (77, 4)

    def _cuMemPoolTrimTo(self, pool, size):
        assert (pool, size) == (77, 0)

    def _cuDevicePrimaryCtxRetain(self, to, device):
        c_void_p.from_address(to).value = 0xC0 + device

    def _cuCtxGetCurrent(self, to):
        c_void_p.from_address(to).value = self.current[-1]

    def _cuCtxSetCurrent(self, context):
        self.current[-1] = context

    def _cuCtxPushCurrent(self, context):
        self.current.append(context)

    def _cuCtxPopCurrent(self, to):
        c_void_p.from_address(to).value = self.current.pop()

    def _cuCtxSynchronize(self):
        return self.flush()

    # ---- work
    def enqueue(self, stream: int | None, work: Any) -> int:
        if self.capturing is not None and stream == self.capture_stream:
            self.capturing.append(work)
        else:
            assert stream is None or stream in self.handles, "no such stream"
            self.queue.append(work)
            self.enqueued += 1
        return 0

    def flush(self) -> int:
        """Do what is enqueued. The thread that captures may not wait for it, others may."""
        if self.capturing is not None and self.capture_thread == threading.get_ident():
            return 900
        with self.lock:
            while self.queue:
                try:
                    self.queue[0]()
                finally:
                    self.queue.pop(0)  # only now an event behind it is reached
            code, self.broken = self.broken, 0
            return code

    def _cuStreamCreate(self, to, flags):
        c_void_p.from_address(to).value = self.handle(("stream", flags))

    def _cuStreamSynchronize(self, stream):
        return self.flush()

    def _cuStreamWaitEvent(self, stream, event, flags):
        return 0

    def _cuStreamBeginCapture(self, stream, mode):
        assert mode == 1 and self.capturing is None and self.handles[stream] == ("stream", 1)
        self.capturing, self.capture_stream, self.capture_thread = [], stream, threading.get_ident()

    def _cuStreamEndCapture(self, stream, to):
        work, self.capturing = self.capturing, None
        c_void_p.from_address(to).value = self.handle(work)

    def _cuGraphInstantiateWithFlags(self, to, graph, flags):
        c_void_p.from_address(to).value = self.handle(self.handles[graph])

    def _cuGraphDestroy(self, graph):
        self.handles[graph] = None

    def _cuGraphExecDestroy(self, graph):
        self.handles[graph] = None

    def _cuGraphLaunch(self, graph, stream):
        for work in self.handles[graph]:
            self.enqueue(stream, work)

    def _cuEventCreate(self, to, flags):
        c_void_p.from_address(to).value = self.handle("event")

    def _cuEventRecord(self, event, stream):
        self.handles[event] = self.enqueued

    def _cuEventQuery(self, event):
        return NOT_READY if self.handles[event] > self.enqueued - len(self.queue) else 0

    def _cuEventSynchronize(self, event):
        return self.flush()

    def _cuEventElapsedTime(self, to, first, last):
        ctypes.c_float.from_address(to).value = 1.0

    def _cuEventDestroy(self, event):
        return 0

    # ---- memory
    def _cuMemGetInfo(self, free, total):
        c_size_t.from_address(free).value = self.total - self.used
        c_size_t.from_address(total).value = self.total

    def _cuMemAlloc(self, to, size):
        if not size:
            return INVALID_VALUE
        if self.used + size > self.total:
            return OUT_OF_MEMORY
        storage = np.full(size + 256, 0xA5, np.uint8)
        address = (storage.ctypes.data + 255) // 256 * 256 + SHIFT
        self.memory[address] = storage
        c_void_p.from_address(to).value = address

    def _cuMemFree(self, address):
        self.flush()
        del self.memory[address]

    def _cuMemAllocAsync(self, to, size, stream):
        return self._cuMemAlloc(to, size)

    def _cuMemFreeAsync(self, address, stream):
        return self.enqueue(stream, lambda: self.memory.pop(address) is None)

    def _cuMemHostAlloc(self, to, size, flags):
        storage = np.full(size, 0xA5, np.uint8)
        self.pinned[storage.ctypes.data] = storage
        c_void_p.from_address(to).value = storage.ctypes.data

    def _cuMemFreeHost(self, address):
        del self.pinned[address]

    def is_pinned(self, address: int) -> bool:
        return any(a <= address < a + s.nbytes for a, s in self.pinned.items())

    def _cuMemcpyHtoDAsync(self, to, source, size, stream):
        if self.is_pinned(source):  # it is read later
            return self.enqueue(stream, lambda: ctypes.memmove(host(to), source, size))
        data = ctypes.string_at(source, size)
        return self.enqueue(stream, lambda: ctypes.memmove(host(to), data, size))

    def _cuMemcpyDtoHAsync(self, to, source, size, stream):
        return self.enqueue(stream, lambda: ctypes.memmove(to, host(source), size))

    def _cuMemcpyDtoDAsync(self, to, source, size, stream):
        return self.enqueue(stream, lambda: ctypes.memmove(host(to), host(source), size))

    def _cuMemsetD8Async(self, to, byte, size, stream):
        return self.enqueue(stream, lambda: ctypes.memset(host(to), byte, size))

    def _cuPointerGetAttribute(self, to, what, address):
        if what == 9 and address >= SHIFT:
            c_int.from_address(to).value = 0
            return 0
        if what == 2 and self.is_pinned(address):
            c_uint.from_address(to).value = 1
            return 0
        return INVALID_VALUE

    # ---- code
    def _cuLinkCreate(self, n, options, values, to):
        found = dict(zip((c_int * n).from_address(options), (c_void_p * n).from_address(values)))
        c_void_p.from_address(to).value = self.handle(found)

    def _cuLinkAddData(self, state, kind, data, size, name, n, options, values):
        text = ctypes.string_at(data, size)
        assert kind == 1 and text.endswith(b"\0")
        version = re.search(rb"\.version ([\d.]+)", text)
        if version is None:
            ctypes.memmove(self.handles[state][5], b"line 1: no version\0", 19)
            return INVALID_PTX
        if float(version.group(1)) > self.newest_ptx:
            return TOO_NEW
        self.handles[state]["text"] = text[:-1]

    def _cuLinkComplete(self, state, to, size):
        data = ctypes.create_string_buffer(b"cubin " + self.handles[state]["text"])
        self.kept.append(data)
        c_void_p.from_address(to).value = ctypes.addressof(data)
        c_size_t.from_address(size).value = len(data.value)

    def _cuLinkDestroy(self, state):
        return 0

    def _cuModuleLoadData(self, to, data):
        text = ctypes.string_at(data)
        assert text.startswith(b"cubin ")
        c_void_p.from_address(to).value = self.handle(text.decode())

    def _cuModuleUnload(self, module):
        self.handles[module] = None

    def _cuModuleGetFunction(self, to, module, name):
        if name.decode() not in re.findall(r"\.entry ([\w$.]+)", self.handles[module]):
            return 500
        c_void_p.from_address(to).value = self.handle(name.decode())

    def _cuFuncSetAttribute(self, function, what, value):
        self.attributes.append((self.handles[function], what, value))

    def _cuFuncGetAttribute(self, to, what, function):
        c_int.from_address(to).value = 10 * what

    def _cuLaunchKernel(self, function, x, y, z, tx, ty, tz, shared, stream, params, extra):
        name = self.handles[function]
        assert (y, z, ty, tz, extra) == (1, 1, 1, 1, None)
        kinds, run = self.kernels[name]
        given = (c_void_p * len(kinds)).from_address(params or 0) if kinds else ()
        values = [KINDS[k].from_address(p).value for k, p in zip(kinds, given)]

        def work() -> None:
            self.launched.append((name, x, tx, shared))
            run(x, tx, shared, *values)

        return self.enqueue(stream, work)

    def _cuGetErrorName(self, code, to):
        c_char_p.from_address(to).value = {2: b"CUDA_ERROR_OUT_OF_MEMORY", 1: b"CUDA_ERROR_INVALID_VALUE"}.get(
            code, b"E"
        )

    def _cuGetErrorString(self, code, to):
        c_char_p.from_address(to).value = b"said"
