"""A call's results: the caller's arrays, slots, and what the program wrote as arrays of the host or of the device.

A result is an array of its own: the first to use a buffer on the device may have it; a later one, and a view of what is
not the call's own, is a copy.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..abi import ALIGNMENT, Program
from ..arguments import fail
from ..results import address_of, check_outputs, folds
from .arguments import Array, buffer
from .call import Call, Finish, Wanted
from .device_array import DeviceArray, imported, is_foreign

if TYPE_CHECKING:
    from .executable import CudaExecutable

BYTES = np.dtype(np.uint8)


# ---- before the call
def targets_of(program: Program, call: Call, out: Any, weights: Sequence[Array]) -> list[Any]:
    """The caller's arrays for results, or None for each."""
    plan = call.plan
    if out is None:
        return [None] * len(plan.results)
    given: list[Any] = [*out] if isinstance(out, tuple | list) else [out]
    foreign = [type(t) is DeviceArray or (not isinstance(t, np.ndarray) and is_foreign(t)) for t in given]
    hosts = check_outputs(program, [None if f else t for t, f in zip(given, foreign)], plan.symbols, weights)
    targets: list[Any] = []
    for i, (t, f, host, wanted) in enumerate(zip(given, foreign, hosts, plan.results)):
        targets.append(_target(f"{program.name}: out[{i}]", call, t, wanted, targets) if f else host)
    return targets


def _target(where: str, call: Call, t: Any, wanted: Wanted, others: Sequence[Any]) -> DeviceArray:
    array = t if type(t) is DeviceArray else imported(t, call.device)
    if array.shape != wanted.shape or array.dtype != wanted.dtype:
        found = f"{array.dtype.name}{list(array.shape)}"
        fail(f"{where}: expected {wanted.dtype.name}{list(wanted.shape)}, found {found}")
    if array.read_only or not array.dense:
        fail(f"{where}: expected a writable array in rows, found another")
    if array.device is not call.device:
        fail(f"{where}: expected an array on device {call.device.ordinal}, found one on device {array.device.ordinal}")
    if any(array.overlaps(o) for o in others if isinstance(o, DeviceArray)):
        fail(f"{where}: expected arrays apart from each other, found one memory for two")
    return array


def slot_of(exe: CudaExecutable, call: Call, k: int, targets: Sequence[Any]) -> DeviceArray:
    """The memory of a slot: the caller's, the executable's where the results go on to the host, or new."""
    device, size = call.device, call.plan.slots[k]
    mine = [(w, t) for w, t in zip(call.plan.results, targets) if w.source == "slot" and w.index == k]
    for wanted, target in mine:
        whole = wanted.dense and not wanted.offset and wanted.size * wanted.dtype.itemsize == size
        if not isinstance(target, DeviceArray) or not whole or target.address % ALIGNMENT:
            continue
        if not any(target.overlaps(a) for a in call.arguments):
            return target
    fetched = all(isinstance(t, np.ndarray) or (t is None and call.on_host) for _, t in mine)
    block = buffer(exe, call, ("slot", k), size) if fetched else device.pool.take(size)
    return DeviceArray(device, block.address, (size,), (1,), BYTES, block)


# ---- after it
def hand_out(exe: CudaExecutable, call: Call, targets: Sequence[Any]) -> list[Any]:
    """The results in order: arrays, or what makes them when the work is done."""
    used: set[tuple[str, int]] = set()
    results: list[Any] = []
    for wanted, target in zip(call.plan.results, targets):
        view, place = view_of(exe, call, wanted), (wanted.source, wanted.index)
        if isinstance(target, np.ndarray) or (target is None and call.on_host):
            if target is None and wanted.source == "argument":
                target = donated_target(exe, call, wanted)
            results.append(fetch(call, wanted, view, target))
            call.waits = True
        elif target is not None:
            results.append(store(view, target))
        else:
            results.append(on_device(exe, call, wanted, view, place not in used))
        used.add(place)
    return results


def view_of(exe: CudaExecutable, call: Call, wanted: Wanted) -> DeviceArray:
    """Where a result lies."""
    source, index = wanted.source, wanted.index
    if source == "arena":
        assert call.arena is not None
        base, owner = call.arena.address, call.arena
    else:
        array = (call.slots if source == "slot" else call.arguments if source == "argument" else exe.places)[index]
        base, owner = array.address, array.owner
    address = base + wanted.offset * wanted.dtype.itemsize
    return DeviceArray(call.device, address, wanted.shape, wanted.steps, wanted.dtype, owner)


def on_device(exe: CudaExecutable, call: Call, wanted: Wanted, view: DeviceArray, first: bool) -> DeviceArray:
    donated = wanted.source == "argument" and exe.donated[wanted.index]
    folded = wanted.high - wanted.low + 1 < wanted.size
    if not first or folded or not (wanted.source == "slot" or donated):
        return view.copy()
    given = call.given[wanted.index] if donated else None
    return given if type(given) is DeviceArray and given.same(view) else view


def donated_target(exe: CudaExecutable, call: Call, wanted: Wanted) -> Array | None:
    """A donated array of the host, if the result is all of it."""
    array = call.given[wanted.index]
    if not exe.donated[wanted.index] or type(array) is not np.ndarray or not wanted.dense or wanted.offset:
        return None
    same = array.shape == wanted.shape and array.dtype == wanted.dtype
    return array if same and array.flags.c_contiguous and array.flags.writeable else None


def fetch(call: Call, wanted: Wanted, view: DeviceArray, target: Array | None) -> Finish:
    """Enqueue the copy to the host."""
    device, width = call.device, wanted.dtype.itemsize
    pinned = device.pool.pinned
    if wanted.dense:
        direct = target is not None and target.flags.c_contiguous and target.dtype == wanted.dtype
        raw = target if direct and target is not None else pinned.array(wanted.shape, wanted.dtype)
        low = 0
    else:
        low = wanted.low
        raw = pinned.array((wanted.high - low + 1,), wanted.dtype)
    device.copy_out(address_of(raw), view.address + low * width, raw.nbytes)

    def finish() -> Array:
        found = raw if wanted.dense else np.ndarray(wanted.shape, wanted.dtype, raw, -low * width, view.strides)
        if target is None:
            return found.copy() if found.nbytes != raw.nbytes or folds(found) else found
        if found is not target:
            np.copyto(target, found)
        return target

    return finish


def store(view: DeviceArray, target: DeviceArray) -> DeviceArray:
    """Copy a result into the caller's array on the device, if it is not there."""
    if view.address == target.address and view.dense:
        return target
    view.device.copy(target.address, view.rows().address, target.nbytes)
    return target
