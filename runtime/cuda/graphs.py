"""Launches that are recorded once: a program that waits for nothing on the way is a CUDA graph from its second call
with the same addresses and sizes on, and each later call is one launch.

    graphs = Graphs(device)
    graphs.run(key, enqueue)             enqueue(stream) -> whether it may be recorded

`key` is all that the launches depend on. The MOST keys used last are known; a key that keeps changing costs nothing but
the look. MLC_CUDA_GRAPHS=0 turns recording off.
"""

from __future__ import annotations

import ctypes
from collections import OrderedDict
from collections.abc import Callable
from ctypes import c_void_p
from typing import TYPE_CHECKING, Any

from ...dialects.errors import CompileError
from .driver import DriverError
from .services import replay_of

if TYPE_CHECKING:
    from .device import Device

MOST = 16
THREAD_LOCAL = 1
"""CUstreamCaptureMode: other threads may do what they want meanwhile."""

LEAST_LAUNCHES = 1
"""Of a program that is worth recording: a call without launches has nothing to replay."""

NEVER = "never"
"""Known not to be recordable."""
ONCE = "once"
"""Has been called once."""


class Graph:
    """A graph that can be launched: `replay(at)` gives a CUresult; behind the device's lock, in whatever context."""

    def __init__(self, device: Device, handle: int) -> None:
        self.device, self.handle = device, handle
        self.words = (c_void_p * 3)(device.context, handle, device.stream)
        self.at = ctypes.addressof(self.words)
        self.replay = replay_of(device.driver)

    def __del__(self) -> None:
        self.device.later("cuGraphExecDestroy", self.handle)


def record(device: Device, enqueue: Callable[[int], bool]) -> Graph | None:
    """What `enqueue` puts into a stream, without running it; None where that cannot be recorded."""
    driver, made, exe = device.driver, c_void_p(), c_void_p()
    if driver.function("cuStreamBeginCapture_v2")(device.recording, THREAD_LOCAL):
        return None
    good = False
    try:
        good = enqueue(device.recording)
    except (CompileError, DriverError):  # what is wrong without recording, too, is raised then
        pass
    finally:
        ended = driver.function("cuStreamEndCapture")(device.recording, ctypes.addressof(made))
    if made.value is None:
        return None
    failed = ended or not good
    if not failed:
        failed = driver.function("cuGraphInstantiateWithFlags")(ctypes.addressof(exe), made, 0)
    driver.function("cuGraphDestroy")(made)
    return None if failed or exe.value is None else Graph(device, exe.value)


class Graphs:
    """The graphs of one program on one device."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.known: OrderedDict[Any, Graph | str] = OrderedDict()
        self.recorded = 0
        self.latest_key: Any = None
        self.latest: Graph | None = None
        """What was found last, for rows of calls that are alike."""

    def run(self, key: Any, enqueue: Callable[[int], bool]) -> None:
        """Enqueue work in the device's stream: as a graph, or by `enqueue`."""
        found = self.known.get(key)
        if found == ONCE:
            graph = record(self.device, enqueue)
            found = self.known[key] = graph or NEVER
            self.recorded += graph is not None
        graph = self.find(key)
        if graph is not None:
            status = graph.replay(graph.at)
            if status:
                self.device.driver.fail(status, "cuGraphLaunch")
            return
        may = enqueue(self.device.stream)
        if found is None:
            self.known[key] = ONCE if may else NEVER
            while len(self.known) > MOST:
                self.known.popitem(last=False)
            if self.latest_key not in self.known:
                self.latest_key = self.latest = None

    def find(self, key: Any) -> Graph | None:
        """The graph that was recorded for it, if there is one."""
        found = self.known.get(key)
        if not isinstance(found, Graph):
            return None
        self.known.move_to_end(key)
        self.latest_key, self.latest = key, found
        return found
