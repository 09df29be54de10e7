"""Element types as `mlc.numpy` names them, what the Array API asks about them, and conversions to them.

`float8_e4m3fn`, `bfloat16`, `int4` and the other types of `ml_dtypes` load it when they are first used (`lazy`).
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
from ...dialects.nd.functions import on_device
from ...dialects.nd.op import bind
from ...dialects.nd.promotion import as_dtype, asarray, common_dtype, fail, weak, weak_dtype
from ...dialects.nd.selection import convert


class DType:
    """An element type by NumPy's name: equal to the type of an `Array`, and to NumPy's.

    NumPy takes it for its own (`np.zeros(3, mnp.float32)`); called, it makes NumPy's scalar.
    """

    __slots__ = ("attribute",)

    def __init__(self, attribute: Attribute) -> None:
        self.attribute = attribute

    @property
    def dtype(self) -> np.dtype[Any]:
        return types.NUMPY[self.attribute]

    @property
    def name(self) -> str:
        return types.NAMES[self.attribute]

    def __call__(self, value: Any = 0) -> Any:
        return self.dtype.type(value)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DType | Attribute):
            return self.attribute == (other.attribute if isinstance(other, DType) else other)
        try:
            return self.attribute == as_dtype(other)
        except CompileError:
            return False

    def __hash__(self) -> int:
        return hash(self.attribute)

    def __repr__(self) -> str:
        return f"mlc.numpy.{self.name}"


_made: dict[Attribute, DType] = {}


def named(attribute: Attribute) -> DType:
    """The one object of an element type."""
    return _made.get(attribute) or _made.setdefault(attribute, DType(attribute))


bool_ = named(i1)
int8, int16, int32, int64 = (named(types.BY_NAME[f"int{n}"]) for n in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (named(types.BY_NAME[f"uint{n}"]) for n in (8, 16, 32, 64))
float16, float32, float64 = (named(types.BY_NAME[f"float{n}"]) for n in (16, 32, 64))
complex64, complex128 = named(types.c64), named(types.c128)


def lazy(module: str, name: str) -> Any:
    """A module's `__getattr__`: the types that are not spelled out above."""
    found = types.BY_NAME.get(name)
    if found is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    return named(found)


def element_type(x: Any) -> Attribute:
    """Of an array, or what names one."""
    return x.dtype if isinstance(x, Array) else types.dtype_of(x) if isinstance(x, np.ndarray) else as_dtype(x)


def result_type(*arrays_and_dtypes: Any) -> DType:
    """The type that arrays, element types and (weak) Python numbers have together."""
    if not arrays_and_dtypes:
        raise fail("expected an array, a number or an element type, found none")
    strong = [element_type(x) for x in arrays_and_dtypes if not weak(x)]
    numbers = [x for x in arrays_and_dtypes if weak(x)]
    if not strong:
        strong = [i1 if all(isinstance(x, bool) for x in numbers) else i64]
        strong = [f32] if any(isinstance(x, float | complex) for x in numbers) else strong
    return named(reduce(lambda t, x: weak_dtype(x, t), numbers, reduce(common_dtype, strong)))


def promote_types(x: Any, y: Any) -> DType:
    """The type of two element types together."""
    return named(common_dtype(element_type(x), element_type(y)))


def can_cast(x: Any, to: Any) -> bool:
    """Does promotion take this element type, or an array's, to the other?"""
    wanted = element_type(to)
    try:
        return common_dtype(element_type(x), wanted) == wanted
    except CompileError:
        return False


KINDS: dict[str, Sequence[Attribute]] = {
    "bool": types.BOOL,
    "signed integer": (*types.SIGNED, types.i4, types.i2),
    "unsigned integer": (*types.UNSIGNED, types.ui4, types.ui2),
    "integral": (*types.INTEGER, *types.SMALL),
    "real floating": tuple(t for t in types.ANY if types.is_float(t) and not types.is_complex(t)),
    "complex floating": types.COMPLEX,
    "numeric": tuple(t for t in types.ANY if t != i1),
}
"""The Array API's kinds of element types."""


def isdtype(dtype: Any, kind: Any) -> bool:
    """Is this element type the other, or of a kind such as "integral", or of one of several?"""
    if isinstance(kind, tuple):
        return any(isdtype(dtype, k) for k in cast(tuple[Any, ...], kind))
    found = element_type(dtype)
    return found in KINDS[kind] if isinstance(kind, str) and kind in KINDS else found == element_type(kind)


class Facts:
    """What is known of a type's numbers: the Array API's facts as Python numbers, and NumPy's others."""

    def __init__(self, facts: Any, dtype: Attribute) -> None:
        kind = float if types.is_float(dtype) else int
        self.bits = int(facts.bits)
        self.max, self.min = kind(facts.max), kind(facts.min)
        if kind is float:
            self.eps, self.smallest_normal = float(facts.eps), float(facts.smallest_normal)
        self.dtype = named(dtype)
        self._facts = facts

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._facts, name)

    def __repr__(self) -> str:
        return repr(self._facts)


def finfo(type: Any) -> Facts:
    """The facts of a float type, or an array's: bits, eps, max, min, smallest_normal, dtype; of a complex one, of its
    parts."""
    dtype = types.part_of(element_type(type))
    if not types.is_float(dtype):
        raise fail(f"finfo: expected a float type, found {dtype}; use iinfo")
    return Facts(types.finfo(types.NUMPY[dtype]), dtype)


def iinfo(type: Any) -> Facts:
    """The facts of an integer type, or an array's: bits, max, min, dtype."""
    dtype = element_type(type)
    if types.is_float(dtype) or dtype == i1:
        raise fail(f"iinfo: expected an integer type, found {dtype}; use finfo")
    if dtype not in types.STORAGE:
        return Facts(np.iinfo(types.NUMPY[dtype]), dtype)
    import ml_dtypes

    return Facts(ml_dtypes.iinfo(types.NUMPY[dtype]), dtype)


def astype(x: Any, dtype: Any, *, copy: bool = True, device: Any = None) -> Array:
    """The elements in another type; docs/semantics.md says how each is rounded. An array never changes, so that no
    copy is made."""
    return on_device(convert(asarray(x), as_dtype(dtype)), device)


def bitcast(x: Any, dtype: Any) -> Array:
    """The same bits as elements of another type of as many."""
    from ...dialects.nd import bits

    return bits.bitcast(asarray(x), as_dtype(dtype))


def pack(x: Any) -> Array:
    """Elements of four bits, two to a byte along the last axis, the low bits first; see `unpack`."""
    from ...dialects.nd import bits

    return bind(bits.Pack, asarray(x))


def unpack(x: Any, dtype: Any) -> Array:
    """Bytes along the last axis as twice as many elements of `int4`, `uint4` or `float4_e2m1fn`."""
    from ...dialects.nd import bits

    return bind(bits.Unpack, asarray(x), to=as_dtype(dtype))
