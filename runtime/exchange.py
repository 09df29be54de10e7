"""Tables of C functions by which native calls read tensors of other libraries (DLPack's C exchange API).

    meet(given, array)      a library's tensor, and NumPy's array in the same memory

A type that has `__dlpack_c_exchange_api__` for its own attribute offers a table. What that says of a tensor is compared
with the array, so that nothing rests on a layout that is not the expected one; then `native_tensors` reads tensors of
this very type by it. A subclass may mean something else by its memory: it is read as ever.

What native code knows is in `words`: how tensors are taken at all, NumPy's element types by DLPack's codes, and of each
type the words PRODUCER.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
from ctypes import c_int, c_uint32, c_uint64, c_void_p
from typing import Any

import numpy as np

from . import dlpack
from .abi import row_major
from .arguments import TABLE
from .dlpack import CPU, DTYPES, HIDDEN, MAJOR, Tensor, Versioned, numbers, pointer
from .locks import ForkLock
from .results import address_of

Array = np.ndarray[Any, Any]

NAME = b"dlpack_exchange_api"

HEADER = ("ENTRY", "FALSE", "ARRAYS")
"""The function that takes tensors, 0 as long as no type is known; Python's False; the type of NumPy's arrays."""

PRODUCER = ("TYPE", "BORROWED", "OWNED", *(name.upper() for name in HIDDEN))
"""The words of a type: itself, the functions that describe a tensor for the time of a call, or until it is given back,
and the names of what neither says (0: tensors of this type have no such thing)."""

MOST = 8
"""Types that are known at a time."""

MOST_VERSIONS = 16
"""Of a chain of tables."""

CODES, KINDS = 1 + max(code for code, _ in DTYPES), 8
"""Codes of element types, and how many there are of each: by the logarithm of their bits."""

KINDS_AT = len(HEADER)
PRODUCERS_AT = KINDS_AT + CODES * KINDS

words = (c_uint64 * (PRODUCERS_AT + MOST * len(PRODUCER)))(0, id(False), id(np.ndarray))
known: dict[type[Any], int] = {}
"""The places of the types whose words are there, the one first that has been known for longest."""
_lock = ForkLock()


class Table(ctypes.Structure):
    """DLPackExchangeAPI"""

    _fields_ = (
        ("major", c_uint32),
        ("minor", c_uint32),
        ("previous", c_void_p),
        ("allocate", c_void_p),
        ("owned", c_void_p),
        ("to_object", c_void_p),
        ("borrowed", c_void_p),
        ("stream", c_void_p),
    )


DESCRIBE = ctypes.PYFUNCTYPE(c_int, ctypes.py_object, c_void_p)
DELETE = ctypes.PYFUNCTYPE(None, c_void_p)


def meet(given: Any, array: Array) -> None:
    """Know the type of a tensor from now on, if its table says of it what the array does."""
    cls = type(given)
    if cls in known or array.size < 2 or (capsule := vars(cls).get(TABLE)) is None:
        return
    try:
        table = table_of(capsule)
        good = table is not None and _agrees(table, given, array)
    except Exception:  # whatever its functions raise
        return
    if table is not None and good:
        from .native_tensors import load

        load()
        _know(given, table)


def table_of(capsule: Any) -> Table | None:
    """The table of the version that is known here: the newest comes first."""
    address = pointer(capsule, NAME)
    for _ in range(MOST_VERSIONS):
        if not address:
            break
        table = Table.from_address(address)
        if table.major == MAJOR:
            return table
        address = table.previous
    return None


def _agrees(table: Table, given: Any, array: Array) -> bool:
    """Do the functions that there are say the same as the array?"""
    if not table.owned:
        return False
    if table.borrowed:
        tensor = Tensor()
        if DESCRIBE(table.borrowed)(given, ctypes.addressof(tensor)) or not _describes(tensor, array):
            return False
    place = c_void_p()
    if DESCRIBE(table.owned)(given, ctypes.addressof(place)) or not place.value:
        return False
    managed = Versioned.from_address(place.value)
    good = managed.major == MAJOR and _describes(managed.tensor, array)
    if managed.deleter:
        DELETE(managed.deleter)(place)
    return good


def _describes(tensor: Tensor, array: Array) -> bool:
    if tensor.device_type != CPU or tensor.lanes != 1 or DTYPES.get((tensor.code, tensor.bits)) != array.dtype.name:
        return False
    shape = numbers(tensor.shape, tensor.rank)
    steps = numbers(tensor.strides, tensor.rank) if tensor.strides else row_major(shape)
    strides = tuple(s * array.itemsize for s in steps)
    found = shape, strides, (tensor.data or 0) + tensor.offset
    return found == (array.shape, array.strides, address_of(array))


def _know(given: Any, table: Table) -> None:
    """Put a tensor's type in the place of the one that has been known for longest."""
    cls = type(given)
    asked = [id(name) if hasattr(given, name) else 0 for name in HIDDEN]
    with _lock:
        if cls in known:
            return
        at = len(known) if len(known) < MOST else known.pop(next(iter(known)))
        first = PRODUCERS_AT + at * len(PRODUCER)
        words[first] = 0  # so that no thread meets words of two types
        words[first + 1 : first + len(PRODUCER)] = [table.borrowed or 0, table.owned, *asked]
        known[cls] = at
        words[first] = id(cls)


def know_kind(dtype: np.dtype[Any]) -> None:
    """Let native code know NumPy's element type, which somebody else keeps."""
    if dtype.name in dlpack.CODES:
        code, bits = dlpack.CODES[dtype.name]
        words[KINDS_AT + KINDS * code + bits.bit_length() - 1] = id(dtype)
