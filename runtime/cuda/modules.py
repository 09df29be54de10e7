"""PTX -> cubin -> functions of a device.

    image = Image("softmax", ["softmax.launch0"], [4096], "sm_90a")
    functions = load(device, image, ptx)                the handles of its entries

The driver's own linker makes the machine code, so no other tool is needed; what it made is kept in the disk cache by
the PTX, the architecture and the driver's version. Nothing is loaded before the first call of a program.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import c_size_t, c_void_p
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...dialects.errors import CompileError
from .. import cache
from ..abi import Image
from .device import runs
from .driver import PTX_TOO_NEW, DriverError

if TYPE_CHECKING:
    from .device import Device

INFO_LOG, INFO_SIZE, ERROR_LOG, ERROR_SIZE, VERBOSE = 3, 4, 5, 6, 12
"""CUjit_option"""
LOG_BYTES = 1 << 14
PTX = 1
"""CUjitInputType"""
INVALID_PTX = 218

STATIC_SHARED = 48 << 10
"""Bytes of shared memory that a launch has without asking."""
MAX_DYNAMIC_SHARED = 8
"""CUfunction_attribute"""
MEASURED = {"threads": 0, "shared": 1, "local": 3, "registers": 4}


@dataclass(frozen=True)
class Cubin:
    """Machine code; `log`: what the linker said about it, "" for one from the cache."""

    data: bytes
    log: str = ""


def key_of(device: Device, ptx: bytes) -> str:
    found = device.properties
    return cache.key("cubin", ptx.decode(), found.sm, str(found.driver_version))


def cubin_of(device: Device, ptx: bytes, name: str) -> Cubin:
    """The machine code of a text for a device, from the disk cache if it is there."""
    key = key_of(device, ptx)
    stored = cache.get(key)
    if stored is not None:
        return Cubin(stored)
    made = link(device, ptx, name)
    cache.put(key, made.data)
    return made


def link(device: Device, ptx: bytes, name: str) -> Cubin:
    """What the driver makes of PTX; its own cache has no part in it."""
    driver = device.driver
    info, error = (ctypes.create_string_buffer(LOG_BYTES) for _ in "12")
    options = (ctypes.c_int * 5)(INFO_LOG, INFO_SIZE, ERROR_LOG, ERROR_SIZE, VERBOSE)
    values = (c_void_p * 5)(ctypes.addressof(info), LOG_BYTES, ctypes.addressof(error), LOG_BYTES, 1)
    text, state = ctypes.create_string_buffer(ptx), c_void_p()

    def check(status: int, doing: str) -> None:
        if not status:
            return
        said = error.value.decode(errors="replace").strip()
        if status == PTX_TOO_NEW:
            version = next((s for s in ptx.decode().splitlines() if s.startswith(".version")), "").split()[-1:]
            raise CompileError(
                f"the driver, for CUDA {version_text(device)}, is too old for PTX {' '.join(version)} of {name}; "
                "update NVIDIA's driver",
                None,
                [said] if said else [],
            )
        if status == INVALID_PTX:
            raise DriverError(status, f"{name}: the driver refuses its PTX: {said}")
        driver.fail(status, f"{doing} of {name}" + (f": {said}" if said else ""))

    with device:
        addresses = (ctypes.addressof(options), ctypes.addressof(values))
        driver.call("cuLinkCreate_v2", 5, *addresses, ctypes.addressof(state))
        try:
            add = driver.function("cuLinkAddData_v2")
            status = add(state, PTX, ctypes.addressof(text), len(text), name.encode(), 0, None, None)
            check(status, "cuLinkAddData")
            data, size = c_void_p(), c_size_t()
            check(
                driver.function("cuLinkComplete")(state, ctypes.addressof(data), ctypes.addressof(size)),
                "cuLinkComplete",
            )
            return Cubin(ctypes.string_at(data.value or 0, size.value), info.value.decode(errors="replace").strip())
        finally:
            driver.function("cuLinkDestroy")(state)


def version_text(device: Device) -> str:
    version = device.properties.driver_version
    return f"{version // 1000}.{version % 1000 // 10}"


class Module:
    """Machine code loaded on a device; it stays as long as this does."""

    def __init__(self, device: Device, image: Image, ptx: bytes) -> None:
        properties = device.properties
        if image.target and not runs(image.target, properties.sm):
            raise CompileError(
                f"{image.kernel}: expected a GPU that runs {image.target}, found {properties.name}, {properties.sm}, "
                f"as device {device.ordinal}; compile the program for it"
            )
        self.device, self.image = device, image
        self.cubin = cubin_of(device, ptx, image.kernel)
        driver = device.driver
        code = ctypes.create_string_buffer(self.cubin.data)
        with device:
            self.handle: int = driver.got(c_void_p, "cuModuleLoadData", ctypes.addressof(code))
            self.functions = [self._function(n, s) for n, s in zip(image.entries, image.shared, strict=True)]

    def _function(self, entry: str, shared: int) -> int:
        """A handle, which may be launched with so much shared memory."""
        device, found = self.device, c_void_p()
        device.driver.call("cuModuleGetFunction", ctypes.addressof(found), self.handle, entry.encode())
        assert found.value
        if shared > device.properties.shared_per_block:
            raise CompileError(
                f"{self.image.kernel}: expected {shared} bytes of shared memory for a block, found "
                f"{device.properties.shared_per_block} on device {device.ordinal}"
            )
        if shared > STATIC_SHARED:
            device.driver.call("cuFuncSetAttribute", found, MAX_DYNAMIC_SHARED, shared)
        return found.value

    def facts(self) -> list[dict[str, Any]]:
        """Of each entry: registers of a thread, bytes of shared and of local memory, threads that a block may have."""
        driver, out = self.device.driver, list[dict[str, Any]]()
        with self.device:
            for entry, function in zip(self.image.entries, self.functions, strict=True):
                row = {k: driver.got(ctypes.c_int, "cuFuncGetAttribute", n, function) for k, n in MEASURED.items()}
                out.append({"entry": entry, **row})
        return out

    def __del__(self) -> None:
        handle = getattr(self, "handle", None)
        if handle:
            self.device.later("cuModuleUnload", handle)


def load(device: Device, images: Sequence[Image], texts: Sequence[bytes]) -> list[Module]:
    return [Module(device, image, text) for image, text in zip(images, texts, strict=True)]
