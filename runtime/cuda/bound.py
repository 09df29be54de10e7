"""A program bound to memory: a call is one replay of its graph, and always writes the same results.

    step = exe.bind(dx, dw)              arrays on the device; nothing runs yet
    y = step()                           y is the same array in each call, with what the call has computed

Ordinary calls compare their arguments, look for the graph of their addresses and make new results; here all of it is
done once. A `Bound` keeps the memory of its arguments, its results and its arena. What an argument holds when `step` is
called is what is read: programs and other libraries may write to it in between. A donated argument is written in place:
its result is the argument. The first call launches the kernels one by one, the second one records them. Programs that
cannot be recorded are called as ever, with the results as their `out`.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import poison
from ..abi import count, row_major
from ..arguments import fail, name_of
from . import driver
from .arguments import given_array, own, placed
from .call import Call
from .device_array import DeviceArray
from .graphs import record
from .results import slot_of, targets_of, view_of

if TYPE_CHECKING:
    from .executable import CudaExecutable


class Bound:
    """`exe.bind(*arrays)`; a call returns the results, one as an array, several as a tuple."""

    def __init__(self, exe: CudaExecutable, arrays: Sequence[Any], out: Any) -> None:
        self.exe, self.device, self.lock = exe, exe.device, exe.device.lock
        with self.device as device:
            given = [_on_device(exe, i, a) for i, a in enumerate(arrays)]
            plan = exe.plan_of(given)
            for bound in exe.bounds:
                bound.check(plan.symbols)
            self.call = call = Call(device, plan, given, False, True)
            call.arguments = [_in_place(exe, call, i) for i in range(len(given))]
            targets = [_target(exe, k, t) for k, t in enumerate(targets_of(exe.program, call, out, exe.weights))]
            call.slots = [slot_of(exe, call, k, targets) for k in range(len(plan.slots))]
            call.arena = exe.arena_of(plan.arena)
            used: set[tuple[str, int]] = set()
            direct = exe.recording and exe.memory is not poison
            results: list[DeviceArray] = []
            for wanted, target in zip(plan.results, targets):
                view, place = view_of(exe, call, wanted), (wanted.source, wanted.index)
                mine = wanted.source == "slot" or (wanted.source == "argument" and exe.donated[wanted.index])
                right = mine and place not in used and wanted.high - wanted.low + 1 == wanted.size
                direct = direct and right and (target is None or target.same(view))
                if target is None and not right:
                    target = _fresh(call, wanted.shape, wanted.dtype)
                results.append(target if target is not None else _given(call, view))
                used.add(place)
        self.results = tuple(results)
        """Those of every call."""
        self.result = results[0] if len(results) == 1 else self.results
        self.direct = direct
        """Do the results lie where the program writes?"""
        self.graph: Any = None
        self.at = self.calls = 0

    def __call__(self) -> Any:
        if driver.forked_child:
            driver.check_process()
        with self.lock:
            if self.graph is None or self.device.depth:
                return self._general()
            status = self.graph(self.at)
        if status:
            self.device.driver.fail(status, "cuGraphLaunch")
        return self.result

    def _general(self) -> Any:
        """Without a graph; also in a print of another program, which is at the arena."""
        exe, call = self.exe, self.call
        if not self.direct or self.device.depth:
            exe(*call.given, out=self.results)
            return self.result
        pointers = [a.address for a in call.arguments + exe.places + call.slots]
        arena = call.arena.address if call.arena is not None else None
        run = partial(exe.enqueue, call.plan, pointers, arena, (*call.plan.sizes, *call.strides))
        with self.device as device:
            device.depth += 1
            try:
                made = (
                    record(device, lambda s: run(s) or call.plan.free) if self.calls == 1 and call.plan.free else None
                )
                if made is None:
                    run(device.stream)
            finally:
                device.depth -= 1
            self.calls += 1
            if made is not None:
                self.kept, self.graph, self.at = made, made.replay, made.at
                status = made.replay(made.at)
                if status:
                    device.driver.fail(status, "cuGraphLaunch")
        return self.result


def _on_device(exe: CudaExecutable, i: int, x: Any) -> DeviceArray:
    array = given_array(exe, i, x, exe.device)
    if isinstance(array, np.ndarray):
        fail(f"bind: {name_of(exe.program, i)}: expected an array on the device, found one of the host; mlc.to_device")
    return array


def _in_place(exe: CudaExecutable, call: Call, i: int) -> DeviceArray:
    """The argument, which the program must be able to use where it lies: a copy would stay as it is."""
    given, copies = call.given[i], exe.copies
    call.arguments = [*call.given]
    array = placed(exe, call, i, given)
    if exe.donated[i]:
        array = own(exe, call, i)
    if exe.copies != copies:
        exe.copies = copies
        how = "writable and apart from the others" if exe.donated[i] else "in the order and alignment of the program"
        fail(f"bind: {name_of(exe.program, i)}: expected an array {how}, found one that is copied; bind a copy")
    return array


def _given(call: Call, view: DeviceArray) -> DeviceArray:
    """The caller's array, if a result is what lies in it."""
    return next((a for a in call.given if a.same(view)), view)


def _target(exe: CudaExecutable, k: int, target: Any) -> DeviceArray | None:
    if isinstance(target, np.ndarray):
        fail(f"bind: {exe.program.name}: out[{k}]: expected an array on the device, found one of the host")
    return target


def _fresh(call: Call, shape: tuple[int, ...], dtype: np.dtype[Any]) -> DeviceArray:
    block = call.device.pool.take(count(shape) * dtype.itemsize)
    return DeviceArray(call.device, block.address, shape, row_major(shape), dtype, block)
