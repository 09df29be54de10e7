"""A library of tensors that offers a table of C functions, as DLPack's exchange API has it: NumPy's arrays inside.

Tensor = library()                 a type of its own; library(major=2): a table of that version, ..
x = Tensor(array)
x.says = {"code": 0}               the table says otherwise from now on
x.fails = True                     its functions return -1 with an exception
"""

from __future__ import annotations

import ctypes
import functools
from collections import deque
from typing import Any

import numpy as np
from mlc.runtime import jit
from mlc.runtime.dlpack import CODES, CPU, NAME_VERSIONED, READ_ONLY, Tensor, Versioned, api
from mlc.runtime.exchange import NAME, Table

Array = np.ndarray[Any, Any]
KEPT: list[Any] = []
"""Tables and functions live as long as the process."""

CALLBACK = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_void_p)
DELETER = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
capsule_of = api("PyCapsule_New", ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
address_in = api("PyCapsule_GetPointer", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)

FAILING = f"""
declare void @PyErr_SetString(ptr, ptr)
declare i32 @callback(ptr, ptr)
@text = constant [5 x i8] c"mine\\00"
define i32 @failing(ptr %object, ptr %place) {{
  %status = call i32 @callback(ptr %object, ptr %place)
  %failed = icmp ne i32 %status, 0
  br i1 %failed, label %fail, label %done
fail:
  call void @PyErr_SetString(ptr inttoptr (i64 {id(BufferError)} to ptr), ptr @text)
  br label %done
done:
  ret i32 %status
}}
"""
"""A function that sets an exception where the one inside, which Python's code cannot set one in, returns -1."""


@functools.cache
def code() -> bytes:
    return jit.compile_object(FAILING)


def failing(function: Any) -> int:
    callback = CALLBACK(function)
    linked = jit.Linked([code()], {"callback": ctypes.cast(callback, ctypes.c_void_p).value or 0})
    KEPT.extend([callback, linked])
    return linked.address("failing")


class Base:
    """What all types have; `lent`: descriptions that were not given back."""

    lent = 0
    asked = 0

    def __init__(self, array: Array) -> None:
        self.array = array
        self.says: dict[str, Any] = {}
        self.fails = False
        self.numbers: deque[Any] = deque(maxlen=4)
        """Sizes and strides, of as many descriptions as a call asks for."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        if self.array.dtype.isbuiltin != 1:
            raise TypeError("unsupported type")
        return self.array

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU, 0

    def fill(self, tensor: Tensor) -> int:
        if self.fails or self.array.dtype.name not in CODES:
            return -1
        type(self).asked += 1
        a, n = self.array, self.array.ndim
        steps = [s // a.itemsize for s in a.strides]
        numbers = (ctypes.c_int64 * (2 * n + 1))(*self.says.get("sizes", a.shape), *self.says.get("steps", steps))
        self.numbers.append(numbers)
        start = ctypes.addressof(numbers)
        code, bits = CODES[a.dtype.name]
        filled = {
            "data": a.ctypes.data, "device_type": CPU, "device": 0, "rank": n, "code": code, "bits": bits, "lanes": 1,
            "shape": start, "strides": start + 8 * n, "offset": 0,
            **{name: value for name, value in self.says.items() if hasattr(tensor, name)},
        }  # fmt: skip
        for name, value in filled.items():
            setattr(tensor, name, value)
        return 0


def library(
    major: int = 1, borrowed: bool = True, owned: bool = True, name: bytes = NAME, previous: Any = None, **members: Any
) -> Any:
    """A type with a table; `previous`: the type whose table is the older one, or "itself"."""
    cls = type("Tensor", (Base,), members)
    held: dict[int, Any] = {}

    def borrow(x: Base, place: int) -> int:
        return x.fill(Tensor.from_address(place))

    def delete(address: int) -> None:
        del held[address]
        cls.lent -= 1

    def own(x: Base, place: int) -> int:
        flags = 0 if x.array.flags.writeable else READ_ONLY
        made = Versioned(x.says.get("major", 1), 3, None, ctypes.cast(deleter, ctypes.c_void_p), flags)
        if x.fill(made.tensor):
            return -1
        held[ctypes.addressof(made)] = made, x.numbers[-1]
        cls.lent += 1
        ctypes.c_void_p.from_address(place).value = ctypes.addressof(made)
        return 0

    def export(x: Base, **options: Any) -> Any:
        place = ctypes.c_void_p()
        if own(x, ctypes.addressof(place)):
            raise BufferError("mine")
        return capsule_of(place, NAME_VERSIONED, ctypes.cast(dropped, ctypes.c_void_p))

    deleter, dropped = DELETER(delete), DELETER(lambda capsule: delete(address_in(capsule, NAME_VERSIONED)))
    cls.__dlpack__ = export  # pyright: ignore
    table = Table(major, 3, None, None, failing(own) if owned else None, None, failing(borrow) if borrowed else None)
    if previous is not None:
        table.previous = ctypes.addressof(table if previous == "itself" else previous.table)
    cls.table = table  # pyright: ignore
    KEPT.extend([deleter, dropped, table, name, cls])
    cls.__dlpack_c_exchange_api__ = capsule_of(ctypes.addressof(table), name, None)  # pyright: ignore
    return cls
