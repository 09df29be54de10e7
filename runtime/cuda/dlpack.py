"""DLPack's structures: arrays of other libraries on a device are read in place, and others read ours.

A capsule that is read is kept, not renamed: when it is dropped, its own destructor gives the array back. A capsule that
is made holds a reference to its owner, which native code drops, also where the consumer does so without Python's lock,
and not at all when the interpreter is gone.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import c_int32, c_int64, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p
from typing import Any, NamedTuple

import numpy as np

from ..abi import numpy_named, row_major
from ..locks import once

CPU, CUDA, CUDA_HOST, CUDA_MANAGED = 1, 2, 3, 13
"""DLDeviceType"""
ON_DEVICE = (CUDA, CUDA_MANAGED)
MAJOR, MINOR = 1, 0
COPIED = 2
"""A flag: nobody else has the memory."""

NAME, NAME_VERSIONED = b"dltensor", b"dltensor_versioned"

FLOATS = {
    7: "float8_e3m4",
    8: "float8_e4m3",
    9: "float8_e4m3b11fnuz",
    10: "float8_e4m3fn",
    11: "float8_e4m3fnuz",
    12: "float8_e5m2",
    13: "float8_e5m2fnuz",
    17: "float4_e2m1fn",
}
DTYPES = {
    **{(0, 8 * n): f"int{8 * n}" for n in (1, 2, 4, 8)},
    **{(1, 8 * n): f"uint{8 * n}" for n in (1, 2, 4, 8)},
    **{(2, 8 * n): f"float{8 * n}" for n in (2, 4, 8)},
    (4, 16): "bfloat16",
    (5, 64): "complex64",
    (5, 128): "complex128",
    (6, 8): "bool",
    **{(code, 8): name for code, name in FLOATS.items() if code != 17},
}
"""Code and bits of an element type: its name in NumPy or `ml_dtypes`."""
CODES = {name: code for code, name in DTYPES.items()}


class Tensor(ctypes.Structure):
    """DLTensor"""

    _fields_ = (
        ("data", c_void_p),
        ("device_type", c_int32),
        ("device", c_int32),
        ("rank", c_int32),
        ("code", c_uint8),
        ("bits", c_uint8),
        ("lanes", c_uint16),
        ("shape", c_void_p),
        ("strides", c_void_p),
        ("offset", c_uint64),
    )


class Managed(ctypes.Structure):
    """DLManagedTensor"""

    _fields_ = (("tensor", Tensor), ("owner", c_void_p), ("deleter", c_void_p))


class Versioned(ctypes.Structure):
    """DLManagedTensorVersioned"""

    _fields_ = (
        ("major", c_uint32),
        ("minor", c_uint32),
        ("owner", c_void_p),
        ("deleter", c_void_p),
        ("flags", c_uint64),
        ("tensor", Tensor),
    )


class Place(NamedTuple):
    """An array of somebody else's: address of the element at 0, strides in elements."""

    device: int
    address: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]
    owner: Any
    read_only: bool = False


def _api(name: str, result: Any, *arguments: Any) -> Any:
    return ctypes.PYFUNCTYPE(result, *arguments)((name, ctypes.pythonapi))


_pointer = _api("PyCapsule_GetPointer", c_void_p, ctypes.py_object, ctypes.c_char_p)
_name = _api("PyCapsule_GetName", ctypes.c_char_p, ctypes.py_object)
_new = _api("PyCapsule_New", ctypes.py_object, c_void_p, c_void_p, c_void_p)
_keep = _api("Py_IncRef", None, ctypes.py_object)


# ---- reading
def is_capsule(x: Any) -> bool:
    return type(x).__name__ == "PyCapsule"


def kind_of(capsule: Any) -> int:
    """The kind of device on which a capsule's array lies; 0: it is no capsule of DLPack that can be read."""
    name = _name(capsule)
    if name == NAME_VERSIONED:
        return Versioned.from_address(_pointer(capsule, name)).tensor.device_type
    return Managed.from_address(_pointer(capsule, name)).tensor.device_type if name == NAME else 0


def read(capsule: Any) -> Place:
    """What a capsule holds; ValueError for what no program takes."""
    name = _name(capsule)
    if name not in (NAME, NAME_VERSIONED):
        raise ValueError(f"expected a capsule of DLPack that nobody has used, found one of {name!r}")
    address = _pointer(capsule, name)
    read_only = False
    if name == NAME_VERSIONED:
        versioned = Versioned.from_address(address)
        if versioned.major != MAJOR:
            raise ValueError(f"expected DLPack {MAJOR}, found {versioned.major}.{versioned.minor}")
        tensor, read_only = versioned.tensor, bool(versioned.flags & 1)
    else:
        tensor = Managed.from_address(address).tensor
    kind = DTYPES.get((tensor.code, tensor.bits)) if tensor.lanes == 1 else None
    if kind is None:
        raise ValueError(f"expected elements of one number, found DLPack's {tensor.code}, {tensor.bits} bits")
    shape = _numbers(tensor.shape, tensor.rank)
    strides = _numbers(tensor.strides, tensor.rank) if tensor.strides else row_major(shape)
    start = (tensor.data or 0) + tensor.offset
    return Place(tensor.device, start, shape, strides, numpy_named(kind), capsule, read_only)


def _numbers(address: int | None, n: int) -> tuple[int, ...]:
    return tuple((c_int64 * n).from_address(address)) if n and address else ()


# ---- making
TEXT = """
declare i32 @Py_IsInitialized()
declare i32 @PyGILState_Ensure()
declare void @PyGILState_Release(i32)
declare void @Py_DecRef(ptr)
declare i32 @PyCapsule_IsValid(ptr, ptr)
declare ptr @PyCapsule_GetPointer(ptr, ptr)

@plain = constant [9 x i8] c"dltensor\\00"
@versioned = constant [19 x i8] c"dltensor_versioned\\00"

define internal void @drop(ptr %owner) {{
  %there = call i32 @Py_IsInitialized()
  %gone = icmp eq i32 %there, 0
  br i1 %gone, label %done, label %go
go:
  %state = call i32 @PyGILState_Ensure()
  call void @Py_DecRef(ptr %owner)
  call void @PyGILState_Release(i32 %state)
  br label %done
done:
  ret void
}}

define void @mlc_dlpack_delete(ptr %managed) {{
  %at = getelementptr i8, ptr %managed, i64 {owner}
  %owner = load ptr, ptr %at
  call void @drop(ptr %owner)
  ret void
}}

define void @mlc_dlpack_delete_versioned(ptr %managed) {{
  %at = getelementptr i8, ptr %managed, i64 {owner_versioned}
  %owner = load ptr, ptr %at
  call void @drop(ptr %owner)
  ret void
}}

; of a capsule: what nobody has taken out of it is deleted
define void @mlc_dlpack_capsule(ptr %capsule) {{
  %is.plain = call i32 @PyCapsule_IsValid(ptr %capsule, ptr @plain)
  %p = icmp ne i32 %is.plain, 0
  br i1 %p, label %delete.plain, label %other
delete.plain:
  %managed = call ptr @PyCapsule_GetPointer(ptr %capsule, ptr @plain)
  call void @mlc_dlpack_delete(ptr %managed)
  ret void
other:
  %is.versioned = call i32 @PyCapsule_IsValid(ptr %capsule, ptr @versioned)
  %v = icmp ne i32 %is.versioned, 0
  br i1 %v, label %delete.versioned, label %done
delete.versioned:
  %managed.versioned = call ptr @PyCapsule_GetPointer(ptr %capsule, ptr @versioned)
  call void @mlc_dlpack_delete_versioned(ptr %managed.versioned)
  ret void
done:
  ret void
}}
"""


@once
def _native() -> tuple[Any, dict[str, int]]:
    from ..jit import Linked, stored_object

    text = TEXT.format(owner=Managed.owner.offset, owner_versioned=Versioned.owner.offset)
    linked = Linked([stored_object(text)])
    names = ("mlc_dlpack_delete", "mlc_dlpack_delete_versioned", "mlc_dlpack_capsule", "plain", "versioned")
    return linked, {n: linked.address(n) for n in names}


class _Export:
    """The memory of one structure, and what keeps its array."""

    __slots__ = ("managed", "numbers", "owner")


def make(place: Place, versioned: bool, flags: int = 0) -> Any:
    """A capsule of an array on a device."""
    native = _native()[1]
    export = _Export()
    rank = len(place.shape)
    export.owner = place.owner
    export.numbers = numbers = (c_int64 * (2 * rank + 1))(*place.shape, *place.strides)
    start = ctypes.addressof(numbers)
    code, bits = CODES[place.dtype.name]
    tensor = Tensor(place.address, CUDA, place.device, rank, code, bits, 1, start, start + 8 * rank, 0)
    if versioned:
        delete = native["mlc_dlpack_delete_versioned"]
        export.managed = Versioned(MAJOR, MINOR, id(export), delete, flags | int(place.read_only), tensor)
    else:
        export.managed = Managed(tensor, id(export), native["mlc_dlpack_delete"])
    name = native["versioned" if versioned else "plain"]
    capsule = _new(ctypes.addressof(export.managed), name, native["mlc_dlpack_capsule"])
    _keep(export)  # the capsule's reference
    return capsule


def dense(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Are these the strides of rows, in elements, as far as they matter?"""
    return 0 in shape or all(n == 1 or s == w for n, s, w in zip(shape, strides, row_major(shape)))
