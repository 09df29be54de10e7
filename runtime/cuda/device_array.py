"""Arrays on a device, and arrays of other libraries there as such.

    x = to_device(np.ones(8))            torch.from_dlpack(x), cupy.asarray(x), jax.numpy.from_dlpack(x)
    y = exe(x)                           a DeviceArray; np.asarray(y) copies it to the host and waits for it

Anything with `__dlpack__` on a CUDA device, or with `__cuda_array_interface__`, is read in place. Order follows the
protocols: this package's stream waits for a producer's, a consumer's for this one; no host waits. What was read in
place is kept until nobody has it any more and the work that reads it is done (`Borrowed`).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dialects.errors import CompileError
from .. import dlpack
from ..abi import count, row_major
from ..dlpack import Place
from .device import Device, current
from .dlpack import dense, make
from .memory import LEGACY, Block, is_pinned

Array = np.ndarray[Any, Any]


def extent(shape: Sequence[int], strides: Sequence[int]) -> tuple[int, int]:
    """The first and the last place that elements take, in elements from that at 0; (0, -1): there are none."""
    if 0 in shape:
        return 0, -1
    spans = [(n - 1) * s for n, s in zip(shape, strides)]
    return sum(min(s, 0) for s in spans), sum(max(s, 0) for s in spans)


class Borrowed:
    """Another library's memory. When its last array is gone the owner is kept for the work that is enqueued by then."""

    __slots__ = ("device", "owner")

    def __init__(self, device: Device, owner: Any) -> None:
        self.device, self.owner = device, owner

    def __del__(self) -> None:
        self.device.left.append(self.owner)


class DeviceArray:
    """Elements on a device; `owner` keeps their memory. It never changes by itself: a program's results and what the
    caller holds are apart, but for donated arguments."""

    __slots__ = ("__weakref__", "address", "device", "dtype", "fits", "owner", "read_only", "shape", "steps")
    __array_priority__ = 1000

    def __init__(
        self,
        device: Device,
        address: int,
        shape: tuple[int, ...],
        steps: tuple[int, ...],
        dtype: np.dtype[Any],
        owner: Any,
        read_only: bool = False,
    ) -> None:
        self.device, self.address, self.shape, self.dtype = device, address, shape, dtype
        self.steps = steps
        """Strides in elements."""
        self.owner, self.read_only = owner, read_only
        self.fits: Any = None
        """What it was last found to be as expected of (`fast_call`)."""

    # ---- what it is
    @property
    def strides(self) -> tuple[int, ...]:
        """In bytes, as NumPy has them."""
        return tuple(s * self.dtype.itemsize for s in self.steps)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return count(self.shape)

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    @property
    def dense(self) -> bool:
        """Is it stored in rows?"""
        return dense(self.shape, self.steps)

    def span(self) -> tuple[int, int]:
        """The addresses from which and up to which it has elements."""
        low, high = extent(self.shape, self.steps)
        width = self.dtype.itemsize
        return self.address + low * width, self.address + (high + 1) * width

    def overlaps(self, other: DeviceArray) -> bool:
        a, b = self.span(), other.span()
        return a[0] < b[1] and b[0] < a[1] and self.device is other.device

    def same(self, other: DeviceArray) -> bool:
        """Are these the same elements in memory?"""
        mine = self.address, self.shape, self.steps, self.dtype
        return self.device is other.device and mine == (other.address, other.shape, other.steps, other.dtype)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array without dimensions")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"DeviceArray({self.dtype.name}{list(self.shape)}, device={self.device.ordinal})"

    # ---- to the host
    def numpy(self) -> Array:
        """A copy on the host, after all work before."""
        device, width = self.device, self.dtype.itemsize
        if self.dense:
            out = device.pool.pinned.array(self.shape, self.dtype)
            device.copy_out(out.ctypes.data, self.address, self.nbytes)
            device.synchronize()
            return out
        low, high = extent(self.shape, self.steps)
        raw = device.pool.pinned.array((high - low + 1,), self.dtype)
        device.copy_out(raw.ctypes.data, self.address + low * width, raw.nbytes)
        device.synchronize()
        return np.ndarray(self.shape, self.dtype, raw, -low * width, self.strides).copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("an array on a device cannot be had on the host without a copy")
        out = self.numpy()
        return out if dtype is None or np.dtype(dtype) == out.dtype else out.astype(dtype)

    def item(self) -> Any:
        return self.numpy().item()

    def tolist(self) -> Any:
        return self.numpy().tolist()

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def copy(self) -> DeviceArray:
        """In rows if it is not dense in another order."""
        low, high = extent(self.shape, self.steps)
        if high - low + 1 != self.size:
            return to_device(self.numpy(), self.device)
        width = self.dtype.itemsize
        block = self.device.pool.take(self.nbytes)
        self.device.copy(block.address, self.address + low * width, self.nbytes)
        return DeviceArray(self.device, block.address - low * width, self.shape, self.steps, self.dtype, block)

    def rows(self) -> DeviceArray:
        """A copy in rows, if it is not."""
        return self if self.dense else to_device(np.ascontiguousarray(self.numpy()), self.device)

    def synchronize(self) -> DeviceArray:
        """Wait until it is computed; what went wrong on the way is raised."""
        self.device.synchronize()
        return self

    # ---- protocols
    def _lend(self, stream: int) -> None:
        """Work of another stream may use it from now on: it waits, and the memory comes back in order."""
        if isinstance(self.owner, Block):
            if self.owner.streams is None:
                self.owner.streams = set()
            self.owner.streams.add(stream)
        self.device.order(self.device.stream, stream)

    def __dlpack_device__(self) -> tuple[int, int]:
        return dlpack.CUDA, self.device.ordinal

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """`stream`: of the consumer; None: the legacy default stream, -1: no order is wanted."""
        if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
            if dl_device[0] != dlpack.CPU or copy is False:
                raise BufferError(f"expected device {self.__dlpack_device__()}, found {tuple(dl_device)}")
            host: Any = self.numpy()
            return host.__dlpack__(max_version=max_version)
        if stream == 0:
            raise BufferError("expected a stream, found 0: 1 is the legacy default stream, 2 that of each thread")
        if self.dtype.name not in dlpack.CODES:
            raise BufferError(f"DLPack has no {self.dtype.name}")
        array = self.copy() if copy else self
        if stream != -1:
            array._lend(LEGACY if stream is None else stream)
        elif isinstance(array.owner, Block):
            array.owner.streams = {-1}  # nobody knows who uses it, so it is not used again
        versioned = max_version is not None and max_version[0] >= dlpack.MAJOR
        place = Place(
            array.device.ordinal, array.address, array.shape, array.steps, array.dtype, array, array.read_only
        )
        return make(place, versioned, dlpack.COPIED if copy else 0)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        if self.dtype.isbuiltin != 1:
            raise AttributeError(f"the interface has no {self.dtype.name}; use DLPack")
        if isinstance(self.owner, Block):
            self.owner.streams = {-1}
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.address if self.size else 0, self.read_only),
            "strides": None if self.dense else self.strides,
            "version": 3,
            "stream": self.device.stream,
        }


# ---- arrays of others
def is_foreign(x: Any) -> bool:
    """Is it another library's array on a CUDA device?"""
    find = getattr(x, "__dlpack_device__", None)
    if find is not None:
        return int(find()[0]) in dlpack.ON_DEVICE
    if dlpack.is_capsule(x):
        return dlpack.kind_of(x) in dlpack.ON_DEVICE
    return hasattr(x, "__cuda_array_interface__")


def imported(x: Any, device: Device | None = None) -> DeviceArray:
    """Another library's array in place; the device's stream waits for its producer's. CompileError if it lies on
    another device."""
    if hasattr(x, "__dlpack_device__"):
        ordinal = int(x.__dlpack_device__()[1])
        device = on(device, ordinal)
        place = dlpack.read(dlpack.capsule_of(x, stream=device.stream))
    elif dlpack.is_capsule(x):
        place = dlpack.read(x)
        device = on(device, place.device)
        device.order(LEGACY, device.stream)  # whoever made it was not told another one
    else:
        place = _interface(x, device)
        device = on(device, place.device)
    owner = Borrowed(device, place.owner)
    return DeviceArray(device, place.address, place.shape, place.strides, place.dtype, owner, place.read_only)


def on(wanted: Device | None, found: int) -> Device:
    """The device on which an array lies, which must be the wanted one."""
    if wanted is None:
        return current(found)
    if wanted.ordinal != found:
        raise CompileError(f"expected an array on device {wanted.ordinal}, found one on device {found}")
    return wanted


ORDINAL = 9
"""CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL"""


def _interface(x: Any, device: Device | None) -> Place:
    """What `__cuda_array_interface__` says."""
    from ctypes import c_int

    given = x.__cuda_array_interface__
    if given.get("mask") is not None:
        raise ValueError("expected an array, found a masked one")
    dtype, shape = np.dtype(given["typestr"]), tuple(given["shape"])
    address, read_only = given["data"]
    at = device or current()
    ordinal = at.ordinal
    with at:
        if address:
            ordinal = at.driver.got(c_int, "cuPointerGetAttribute", ORDINAL, address)
        stream = given.get("stream")
        if stream == 0:
            raise ValueError("expected a stream, found 0")
        if stream is not None and ordinal == at.ordinal:
            at.order(stream, at.stream)
    strides = given.get("strides")
    if strides is None:
        steps = row_major(shape)
    elif any(s % dtype.itemsize for s in strides):
        raise ValueError(f"expected strides of whole elements, found {strides} bytes")
    else:
        steps = tuple(s // dtype.itemsize for s in strides)
    return Place(ordinal, address or 0, shape, steps, dtype, x, bool(read_only))


def to_device(x: Any, device: Device | int | None = None) -> DeviceArray:
    """An array on a device: what lies on one is taken as it is, all else is copied. It keeps the order of its axes."""
    at = device if isinstance(device, Device) else current(device) if device is not None else None
    if isinstance(x, DeviceArray):
        return x if at is None or x.device is at else to_device(x.numpy(), at)
    if is_foreign(x):
        return imported(x, at)
    at = at or current()
    array = np.asarray(x)
    if array.dtype.kind not in "biufcV" or array.dtype.names is not None:
        raise CompileError(f"to_device: expected an array of numbers, found one of {array.dtype}")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    steps = tuple(s // array.itemsize for s in array.strides)
    low, high = extent(array.shape, steps)
    if high - low + 1 != array.size or any(s % array.itemsize for s in array.strides):
        array = array.copy(order="C")
        low, steps = 0, row_major(array.shape)
    width = array.itemsize
    block = at.pool.take(array.nbytes)
    start = array.ctypes.data + low * width
    at.copy_in(block.address, start, array.nbytes)
    if array.size and is_pinned(at, start):
        at.synchronize()
    return DeviceArray(at, block.address - low * width, array.shape, steps, array.dtype, block)
