"""Element types as `mlc.numpy` names them, and what the Array API asks about them.

`float8_e4m3fn`, `bfloat16`, `int4` and the other types of `ml_dtypes` are attributes that load it when they are first
used (`lazy`).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import f32, i1, i64
from xdsl.ir import Attribute

from ...dialects.errors import CompileError
from ...dialects.nd import types
from ...dialects.nd.array import Array
from ...dialects.nd.promotion import as_dtype, common_dtype, fail, weak, weak_dtype

float16, float32, float64, bool_ = np.float16, np.float32, np.float64, np.bool_
int8, int16, int32, int64 = np.int8, np.int16, np.int32, np.int64
uint8, uint16, uint32, uint64 = np.uint8, np.uint16, np.uint32, np.uint64


def lazy(module: str, name: str) -> Any:
    """A module's `__getattr__`: the scalar types of `ml_dtypes`."""
    found = types.BY_NAME.get(name)
    if found is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    return types.NUMPY[found].type


def element_type(x: Any) -> Attribute:
    """Of an array, or what names one."""
    return x.dtype if isinstance(x, Array) else types.dtype_of(x) if isinstance(x, np.ndarray) else as_dtype(x)


def result_type(*xs: Any) -> np.dtype[Any]:
    """The type that arrays, element types and (weak) Python numbers have together; NumPy's dtype of it."""
    if not xs:
        raise fail("expected an array, a number or an element type, found none")
    strong = [element_type(x) for x in xs if not weak(x)]
    numbers = [x for x in xs if weak(x)]
    if not strong:
        strong = [i1 if all(isinstance(x, bool) for x in numbers) else i64]
        strong = [f32] if any(isinstance(x, float) for x in numbers) else strong
    return types.NUMPY[reduce(lambda t, x: weak_dtype(x, t), numbers, reduce(common_dtype, strong))]


def promote_types(x: Any, y: Any) -> np.dtype[Any]:
    """The type of two element types together."""
    return types.NUMPY[common_dtype(element_type(x), element_type(y))]


def can_cast(x: Any, to: Any) -> bool:
    """Does promotion take this element type, or an array's, to the other?"""
    wanted = element_type(to)
    try:
        return common_dtype(element_type(x), wanted) == wanted
    except CompileError:
        return False


KINDS: dict[str, Sequence[Attribute]] = {
    "bool": types.BOOL,
    "signed integer": (*types.SIGNED, types.i4),
    "unsigned integer": (*types.UNSIGNED, types.ui4),
    "integral": (*types.INTEGER, types.i4, types.ui4),
    "real floating": tuple(t for t in types.ANY if types.is_float(t)),
    "complex floating": (),
    "numeric": tuple(t for t in types.ANY if t != i1),
}
"""The Array API's kinds of element types."""


def isdtype(x: Any, kind: Any) -> bool:
    """Is this element type the other, or of a kind such as "integral", or of one of several?"""
    if isinstance(kind, tuple):
        return any(isdtype(x, k) for k in cast(tuple[Any, ...], kind))
    found = element_type(x)
    return found in KINDS[kind] if isinstance(kind, str) and kind in KINDS else found == element_type(kind)


def finfo(x: Any) -> Any:
    """NumPy's or `ml_dtypes`' facts of a float type: eps, max, smallest_normal and others."""
    dtype = element_type(x)
    if not types.is_float(dtype):
        raise fail(f"finfo: expected a float type, found {dtype}; use iinfo")
    return types.finfo(types.NUMPY[dtype])


def iinfo(x: Any) -> Any:
    """The least and greatest number of an integer type, as `min` and `max`, and its `bits`."""
    dtype = element_type(x)
    if types.is_float(dtype) or dtype == i1:
        raise fail(f"iinfo: expected an integer type, found {dtype}; use finfo")
    if dtype not in types.STORAGE:
        return np.iinfo(types.NUMPY[dtype])
    import ml_dtypes

    return ml_dtypes.iinfo(types.NUMPY[dtype])
