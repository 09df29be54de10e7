"""DLPack's structures, and the arrays of other libraries that they describe, which are read in place.

A capsule that is read is kept, not renamed: when it is dropped, its own destructor gives the array back.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
import sys
from ctypes import c_int32, c_int64, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p
from typing import Any, NamedTuple

import numpy as np

from .abi import count, numpy_named, row_major
from .results import array_at

Array = np.ndarray[Any, Any]

CPU, CUDA, CUDA_HOST, ROCM_HOST, CUDA_MANAGED = 1, 2, 3, 11, 13
"""DLDeviceType"""
ON_DEVICE, ON_HOST = (CUDA, CUDA_MANAGED), (CPU, CUDA_HOST, ROCM_HOST)
MAJOR, MINOR = 1, 0
READ_ONLY, COPIED = 1, 2
"""Flags; the second: nobody else has the memory."""

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


def api(name: str, result: Any, *arguments: Any) -> Any:
    """A function of Python's."""
    return ctypes.PYFUNCTYPE(result, *arguments)((name, ctypes.pythonapi))


pointer = api("PyCapsule_GetPointer", c_void_p, ctypes.py_object, ctypes.c_char_p)
name_of = api("PyCapsule_GetName", ctypes.c_char_p, ctypes.py_object)


def is_capsule(x: Any) -> bool:
    return type(x).__name__ == "PyCapsule"


def kind_of(capsule: Any) -> int:
    """The kind of device on which a capsule's array lies; 0: it is no capsule of DLPack that can be read."""
    name = name_of(capsule)
    if name == NAME_VERSIONED:
        return Versioned.from_address(pointer(capsule, name)).tensor.device_type
    return Managed.from_address(pointer(capsule, name)).tensor.device_type if name == NAME else 0


def read(capsule: Any) -> Place:
    """What a capsule holds; ValueError for what no program takes."""
    name = name_of(capsule)
    if name not in (NAME, NAME_VERSIONED):
        raise ValueError(f"expected a capsule of DLPack that nobody has used, found one of {name!r}")
    address = pointer(capsule, name)
    read_only = False
    if name == NAME_VERSIONED:
        versioned = Versioned.from_address(address)
        if versioned.major != MAJOR:
            raise ValueError(f"expected DLPack {MAJOR}, found {versioned.major}.{versioned.minor}")
        tensor, read_only = versioned.tensor, bool(versioned.flags & READ_ONLY)
    else:
        tensor = Managed.from_address(address).tensor
    kind = DTYPES.get((tensor.code, tensor.bits)) if tensor.lanes == 1 else None
    if kind is None:
        raise ValueError(f"expected elements of one number, found DLPack's {tensor.code}, {tensor.bits} bits")
    shape = numbers(tensor.shape, tensor.rank)
    strides = numbers(tensor.strides, tensor.rank) if tensor.strides else row_major(shape)
    start = (tensor.data or 0) + tensor.offset
    return Place(tensor.device, start, shape, strides, numpy_named(kind), capsule, read_only)


def numbers(address: int | None, n: int) -> tuple[int, ...]:
    return tuple((c_int64 * n).from_address(address)) if n and address else ()


# ---- objects of other libraries
HIDDEN = tuple(map(sys.intern, ("requires_grad", "is_neg", "is_conj")))
"""What no structure says of a tensor: that a derivative would be lost; that it is the negative, or the conjugate, of
what is stored. The first is an attribute, the others are methods."""


def capsule_of(x: Any, **options: Any) -> Any:
    """What an object gives by `__dlpack__`; BufferError for one that is not what is stored."""
    try:
        capsule = x.__dlpack__(**options, max_version=(MAJOR, MINOR))
    except TypeError:  # of before DLPack 1.0
        capsule = x.__dlpack__(**options)
    for name in HIDDEN:  # also where its library does not look
        found = getattr(x, name, False)
        if found() if callable(found) else found:
            raise BufferError(f"expected elements as they are stored, found {name}")
    return capsule


def array_of(x: Any) -> Array:
    """The array of a capsule, or of an object with `__dlpack__`, in its memory on the host. It is not to be written
    where a structure of before DLPack 1.0 cannot say that it may be."""
    capsule = x if is_capsule(x) else capsule_of(x)
    place, kind = read(capsule), kind_of(capsule)
    if kind not in ON_HOST:
        raise BufferError(f"expected an array of the host, found one on DLPack's device {kind}")
    if not place.address and count(place.shape):
        raise BufferError("expected an array in memory, found none")
    steps = tuple(s * place.dtype.itemsize for s in place.strides)
    read_only = place.read_only or name_of(capsule) != NAME_VERSIONED
    return array_at(place.address, read_only, place.dtype, place.shape, steps, capsule)
