"""Joules that a device has used, by the counter of NVIDIA's management library, where there is one.

    meter = Meter(device)                  CompileError where nothing is measured
    before = meter.joules(); ...; device.synchronize(); spent = meter.joules() - before

The counter goes in steps of about 20 to 100 ms: only work of a second and more can be measured.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING, Any

from ...dialects.errors import CompileError

if TYPE_CHECKING:
    from .device import Device

LIBRARY = "libnvidia-ml.so.1" if sys.platform != "win32" else "nvml.dll"


class Meter:
    """The energy counter of one device; `library`: NVML, or what looks like it."""

    def __init__(self, device: Device, library: Any = None) -> None:
        if library is None:
            try:
                library = ctypes.CDLL(LIBRARY)
            except OSError as error:
                raise CompileError(f"energy: found no {LIBRARY}", None, [str(error)]) from None
        self.library = library
        self._call("nvmlInit_v2")
        self.handle = ctypes.c_void_p()
        uuid = ctypes.c_char_p(device.properties.uuid.encode())
        self._call("nvmlDeviceGetHandleByUUID", uuid, ctypes.byref(self.handle))
        self.joules()

    def _call(self, name: str, *arguments: Any) -> None:
        status: int = getattr(self.library, name)(*arguments)
        if status:
            raise CompileError(f"energy: {name}: error {status} of NVIDIA's management library")

    def joules(self) -> float:
        """Since the driver was loaded."""
        millijoules = ctypes.c_ulonglong()
        self._call("nvmlDeviceGetTotalEnergyConsumption", self.handle, ctypes.byref(millijoules))
        return millijoules.value * 1e-3

    def watts(self) -> float:
        """Now."""
        milliwatts = ctypes.c_uint()
        self._call("nvmlDeviceGetPowerUsage", self.handle, ctypes.byref(milliwatts))
        return milliwatts.value * 1e-3
