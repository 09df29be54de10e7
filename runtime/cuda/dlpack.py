"""Arrays on a device as DLPack's capsules, which other libraries read in place.

A capsule holds a reference to its owner, which native code drops, also where the consumer does so without Python's
lock, and not at all when the interpreter is gone.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import c_int64, c_void_p
from typing import Any

from ..abi import row_major
from ..dlpack import CODES, CUDA, MAJOR, MINOR, Managed, Place, Tensor, Versioned, api
from ..locks import once

_new = api("PyCapsule_New", ctypes.py_object, c_void_p, c_void_p, c_void_p)
_keep = api("Py_IncRef", None, ctypes.py_object)

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
