"""The CUDA driver by ctypes: libcuda is loaded when it is first asked for, and never by a forked child of a user of it.

    driver = load()
    driver.call("cuCtxSynchronize")           a CUresult other than 0 is raised

What a user can do something about is a CompileError (`DeviceMemoryError`, which is a MemoryError too, where memory is
short); whatever else the driver says is a `DriverError`.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from ctypes import c_char_p, c_int, c_size_t, c_uint, c_uint64, c_void_p
from typing import Any, NoReturn

from ...dialects.errors import CompileError
from ..locks import ForkLock

LIBRARY = "libcuda.so.1" if sys.platform != "win32" else "nvcuda.dll"

P = c_void_p
"""Handles and device addresses; both are passed as Python integers."""

PROTOTYPES: dict[str, tuple[Any, ...]] = {
    "cuInit": (c_uint,),
    "cuDriverGetVersion": (P,),
    "cuDeviceGetCount": (P,),
    "cuDeviceGet": (P, c_int),
    "cuDeviceGetName": (P, c_int, c_int),
    "cuDeviceGetUuid": (P, c_int),
    "cuDeviceGetAttribute": (P, c_int, c_int),
    "cuDeviceTotalMem_v2": (P, c_int),
    "cuDeviceGetDefaultMemPool": (P, c_int),
    "cuMemPoolSetAttribute": (P, c_int, P),
    "cuMemPoolTrimTo": (P, c_size_t),
    "cuDevicePrimaryCtxRetain": (P, c_int),
    "cuCtxGetCurrent": (P,),
    "cuCtxSetCurrent": (P,),
    "cuCtxPushCurrent_v2": (P,),
    "cuCtxPopCurrent_v2": (P,),
    "cuCtxSynchronize": (),
    "cuStreamCreate": (P, c_uint),
    "cuStreamSynchronize": (P,),
    "cuStreamWaitEvent": (P, P, c_uint),
    "cuStreamBeginCapture_v2": (P, c_int),
    "cuStreamEndCapture": (P, P),
    "cuGraphInstantiateWithFlags": (P, P, c_uint64),
    "cuGraphDestroy": (P,),
    "cuGraphExecDestroy": (P,),
    "cuGraphLaunch": (P, P),
    "cuEventCreate": (P, c_uint),
    "cuEventRecord": (P, P),
    "cuEventQuery": (P,),
    "cuEventSynchronize": (P,),
    "cuEventElapsedTime": (P, P, P),
    "cuEventDestroy_v2": (P,),
    "cuMemGetInfo_v2": (P, P),
    "cuMemAlloc_v2": (P, c_size_t),
    "cuMemFree_v2": (P,),
    "cuMemAllocAsync": (P, c_size_t, P),
    "cuMemFreeAsync": (P, P),
    "cuMemHostAlloc": (P, c_size_t, c_uint),
    "cuMemFreeHost": (P,),
    "cuMemcpyHtoDAsync_v2": (P, P, c_size_t, P),
    "cuMemcpyDtoHAsync_v2": (P, P, c_size_t, P),
    "cuMemcpyDtoDAsync_v2": (P, P, c_size_t, P),
    "cuMemsetD8Async": (P, ctypes.c_ubyte, c_size_t, P),
    "cuPointerGetAttribute": (P, c_int, P),
    "cuLinkCreate_v2": (c_uint, P, P, P),
    "cuLinkAddData_v2": (P, c_int, P, c_size_t, c_char_p, c_uint, P, P),
    "cuLinkComplete": (P, P, P),
    "cuLinkDestroy": (P,),
    "cuModuleLoadData": (P, P),
    "cuModuleUnload": (P,),
    "cuModuleGetFunction": (P, P, c_char_p),
    "cuFuncSetAttribute": (P, c_int, c_int),
    "cuFuncGetAttribute": (P, c_int, P),
    "cuLaunchKernel": (P, *[c_uint] * 7, P, P, P),
    "cuGetErrorName": (c_int, P),
    "cuGetErrorString": (c_int, P),
}

OUT_OF_MEMORY, NOT_READY = 2, 600
LEAST_VERSION = 11040
"""CUDA 11.4: memory in stream order, and the graph functions that are called."""

PTX_TOO_NEW = 222
MEANINGS = {
    34: "the library of the CUDA driver is a stub; install NVIDIA's driver",
    100: "expected an NVIDIA GPU, found none; see CUDA_VISIBLE_DEVICES and `nvidia-smi`",
    PTX_TOO_NEW: "the driver is too old for the code of this program; update NVIDIA's driver",
    209: "the code of this program is for another GPU; compile it on, or for, this one",
    803: "the versions of NVIDIA's driver and of its library differ; restart after an update of the driver",
    804: "NVIDIA's driver does not support this GPU with this library of CUDA; update it",
}
"""CUresults that a user can do something about."""

BROKEN = {
    700: "a kernel read or wrote outside of its memory",
    702: "a kernel took too long",
    714: "a kernel did what this GPU cannot",
    715: "a kernel has an illegal instruction",
    716: "a kernel's access is not aligned to its elements",
    717: "a kernel accessed another address space",
    718: "a kernel jumped out of its code",
    719: "a kernel stopped with an exception",
}
"""Those after which the context of the process is lost."""


class DriverError(RuntimeError):
    """What the driver says that no user can know: an error of mlc, of the driver or of the hardware."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class DeviceMemoryError(CompileError, MemoryError):
    """There is not so much memory on the device."""


def too_old(version: int) -> CompileError:
    found, least = (f"CUDA {v // 1000}.{v % 1000 // 10}" for v in (version, LEAST_VERSION))
    return CompileError(f"expected a driver for {least} or later, found one for {found}; update NVIDIA's driver")


class Driver:
    """The library with the types of its functions; `functions`: a ctypes library, or what looks like one."""

    def __init__(self, functions: Any) -> None:
        self.functions = functions
        self.typed: dict[str, Any] = {}
        self.devices: dict[int, Any] = {}
        """By number, those in use."""
        self.services: Any = None
        """Native code that calls these functions (`services`)."""

    def function(self, name: str) -> Any:
        """A function as it is called from Python."""
        found = self.typed.get(name)
        if found is None:
            try:
                address = self.address(name)
            except AttributeError:
                raise too_old(self.version()) from None
            found = self.typed[name] = ctypes.CFUNCTYPE(c_int, *PROTOTYPES[name])(address)
        return found

    def address(self, name: str) -> int:
        """Where a function is, for native code."""
        return ctypes.cast(getattr(self.functions, name), c_void_p).value or 0

    def call(self, name: str, *arguments: Any) -> None:
        status = self.function(name)(*arguments)
        if status:
            self.fail(status, name)

    def got(self, kind: Any, name: str, *arguments: Any) -> Any:
        """What a function writes to its first argument."""
        value = kind()
        self.call(name, ctypes.addressof(value), *arguments)
        return value.value

    def version(self) -> int:
        """12040 for CUDA 12.4."""
        version = c_int()
        ctypes.CFUNCTYPE(c_int, c_void_p)(self.address("cuDriverGetVersion"))(ctypes.addressof(version))
        return version.value

    def text(self, code: int) -> str:
        """`CUDA_ERROR_INVALID_VALUE: invalid argument`"""
        parts: list[str] = []
        for name in ("cuGetErrorName", "cuGetErrorString"):
            found = c_char_p()
            if self.function(name)(code, ctypes.addressof(found)) == 0 and found.value:
                parts.append(found.value.decode(errors="replace"))
        return ": ".join(parts) or f"CUDA error {code}"

    def fail(self, code: int, doing: str) -> NoReturn:
        """Raise what a CUresult means."""
        said = self.text(code)
        if code == OUT_OF_MEMORY:
            raise DeviceMemoryError("there is not enough memory on the device", None, [f"{doing}: {said}"])
        if code in MEANINGS:
            raise CompileError(MEANINGS[code], None, [f"{doing}: {said}"])
        meaning = f"{BROKEN[code]}; no more work can be done on the GPU in this process: " if code in BROKEN else ""
        raise DriverError(code, f"{meaning}{doing}: {said}")


_loaded: list[Driver] = []
forked_child = False
"""Is this a child of a process that had the driver loaded? The driver does not work in it."""
_lock = ForkLock()


def _after_fork() -> None:
    global forked_child
    forked_child = bool(_loaded)


os.register_at_fork(after_in_child=_after_fork)


def check_process() -> None:
    """CompileError in a forked child."""
    if forked_child:
        raise CompileError(
            "the GPU cannot be used in a process that was forked after its first use; "
            'start processes by multiprocessing.get_context("spawn")'
        )


def load() -> Driver:
    """The driver, initialised."""
    check_process()
    if _loaded:
        return _loaded[0]
    with _lock:
        if not _loaded:
            try:
                library = ctypes.CDLL(LIBRARY)
            except OSError as error:
                raise CompileError(
                    f"expected NVIDIA's driver, found no {LIBRARY}; install it to run programs for the target cuda",
                    None,
                    [str(error)],
                ) from None
            _loaded.append(started(library))
    return _loaded[0]


def started(library: Any) -> Driver:
    """A driver after cuInit."""
    driver = Driver(library)
    driver.call("cuInit", 0)
    if driver.version() < LEAST_VERSION:
        raise too_old(driver.version())
    return driver


@contextlib.contextmanager
def replaced(library: Any) -> Any:
    """Another library in the driver's place, for tests."""
    global forked_child
    kept, was = _loaded[:], forked_child
    try:
        _loaded[:] = [started(library)]
        yield _loaded[0]
    finally:
        _loaded[:], forked_child = kept, was
