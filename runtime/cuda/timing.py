"""How long work on a device takes, measured by the device.

    seconds = per_call(device, enqueue, 100)        enqueue() puts one replay into the device's stream

The clock of the host has no part in it, so that a queue that is never empty is all that is needed. `clear` writes over
the second cache first, for times of data that no cache holds.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .device import Device


class Clock:
    """A pair of events in the device's stream."""

    def __init__(self, device: Device) -> None:
        self.device = device
        with device:
            self.events: list[int] = [device.driver.got(ctypes.c_void_p, "cuEventCreate", 0) for _ in "12"]

    def start(self) -> None:
        with self.device as device:
            device.driver.call("cuEventRecord", self.events[0], device.stream)

    def stop(self) -> None:
        with self.device as device:
            device.driver.call("cuEventRecord", self.events[1], device.stream)

    def seconds(self) -> float:
        """Between the two, after waiting for the second."""
        with self.device as device:
            device.driver.call("cuEventSynchronize", self.events[1])
            took: float = device.driver.got(ctypes.c_float, "cuEventElapsedTime", *self.events)
        return took * 1e-3

    def __del__(self) -> None:
        for event in getattr(self, "events", ()):
            self.device.later("cuEventDestroy_v2", event)


def per_call(device: Device, enqueue: Callable[[], Any], replays: int = 20) -> float:
    """Seconds of one of `replays` calls of `enqueue`, which must not wait."""
    clock = Clock(device)
    clock.start()
    for _ in range(replays):
        enqueue()
    clock.stop()
    return clock.seconds() / replays


def interleaved(
    device: Device, calls: Sequence[Callable[[], Any]], replays: int = 20, rounds: int = 7
) -> list[list[float]]:
    """`per_call` of each, in turns, so that a clock that changes meets all: a list of rounds for each."""
    times: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    device.synchronize()
    for _ in range(rounds):
        for call, found in zip(calls, times, strict=True):
            found.append(per_call(device, call, replays))
    return times


def clear(device: Device) -> None:
    """Write over four times what the second cache holds."""
    size = max(4 * device.properties.cache_bytes, 1 << 20)
    block = device.pool.take(size)
    device.fill(block.address, 0, size)
