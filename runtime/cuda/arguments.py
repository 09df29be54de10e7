"""A call's arguments -> arrays on the device as the program expects them."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...dialects.errors import CompileError
from ..abi import ALIGNMENT, Argument, row_major
from ..arguments import as_array, fail, name_of, reordered
from ..results import address_of
from .call import Call
from .device import Device
from .device_array import DeviceArray, extent, imported, is_foreign
from .memory import Block, is_pinned

if TYPE_CHECKING:
    from .executable import CudaExecutable

Array = np.ndarray[Any, Any]


def alignment_of(argument: Argument, dtype: np.dtype[Any]) -> int:
    """What an argument's address is a multiple of; kernels read so many bytes at once."""
    return ALIGNMENT if argument.aligned else dtype.itemsize


def given_array(exe: CudaExecutable, i: int, x: Any, device: Device) -> Any:
    """NumPy's array, or one on the device."""
    program = exe.program
    if type(x) is not DeviceArray:
        try:
            if not is_foreign(x):
                return as_array(program, i, x)
            x = imported(x, device)
        except CompileError as error:
            if error.message.startswith(f"{program.name}: "):
                raise
            fail(f"{name_of(program, i)}: {error.message}", error.notes)
        except Exception as error:  # whatever the object's own methods raise
            found = type(x).__name__
            fail(f"{name_of(program, i)}: expected an array, found {found}: {type(error).__name__}: {error}")
    if x.device is not device:
        wanted = f"expected an array on device {device.ordinal}, found one on device {x.device.ordinal}"
        fail(f"{name_of(program, i)}: {wanted}")
    return x


def placed(exe: CudaExecutable, call: Call, i: int, x: Any) -> DeviceArray:
    """The argument on the device, with the right element type, shape and strides."""
    given = call.given[i]
    if type(given) is DeviceArray:
        array = in_place(exe, call, i, given)
    else:
        fresh = exe.donated[i] and not call.on_host  # its memory may become a result's
        if given.dtype is not exe.dtypes[i] or exe.program.arguments[i].strides or not given.flags.carray:
            given = exe._accept(i, x, given, call.plan.symbols)
        array = upload(exe, call, None if fresh else i, given)
    declared = exe.program.arguments[i].strides
    if declared is not None and None in declared:
        call.strides += [s for s, d in zip(array.steps, declared) if d is None]
    return array


def upload(exe: CudaExecutable, call: Call, key: Any, array: Array) -> DeviceArray:
    """A copy of an array of the host, in a buffer of the executable's."""
    width = array.itemsize
    if array.flags.c_contiguous:
        steps, low, size = row_major(array.shape), 0, array.nbytes
    else:
        steps = tuple([s // width for s in array.strides])
        low, high = extent(array.shape, steps)
        size = (high - low + 1) * width
    block = buffer(exe, call, key, size)
    start = address_of(array) + low * width
    call.device.copy_in(block.address, start, size)
    if size and not call.on_host and is_pinned(call.device, start):
        call.pinned = True
    return DeviceArray(call.device, block.address - low * width, array.shape, steps, array.dtype, block)


def buffer(exe: CudaExecutable, call: Call, key: Any, size: int) -> Block:
    """Memory that the executable keeps for the same thing in every call; None: new memory."""
    if not call.own or key is None:
        return call.device.pool.take(size)
    block = exe.staged.get(key)
    if block is None or block.size < size:
        exe.staged.pop(key, None)
        block = exe.staged[key] = call.device.pool.take(size)
    return block


def in_place(exe: CudaExecutable, call: Call, i: int, array: DeviceArray) -> DeviceArray:
    """An array on the device that the program can read; a copy where needed."""
    dtype, wanted = exe.dtypes[i], call.plan.steps[i]
    if array.dtype != dtype:
        found = array.dtype.name
        fail(f"{name_of(exe.program, i)}: expected {dtype.name}, found {found} on the device; convert it there")
    bits = alignment_of(exe.program.arguments[i], dtype) - 1
    if (array.steps == wanted and not array.address & bits) or not array.size:
        return array
    same = all(n <= 1 or w is None or s == w for n, s, w in zip(array.shape, array.steps, wanted))
    if same and not array.address & bits:
        return array
    exe.copies += 1
    low, high = extent(array.shape, array.steps)
    if same and high - low + 1 == array.size:
        return array.copy()
    return upload(exe, call, i, reordered(array.numpy(), dtype, exe.program.arguments[i].strides))


def own(exe: CudaExecutable, call: Call, i: int) -> DeviceArray:
    """A donated argument's memory, if nothing else can notice that it is written."""
    array = call.arguments[i]
    others = [a for k, a in enumerate(call.arguments) if k != i and a.size]
    if array.read_only or any(array.overlaps(o) for o in others):
        exe.copies += 1
        return array.copy()
    return array
