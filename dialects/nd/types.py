"""Tensor types: the builtin `tensor`, whose `?` dimensions are named in order by an encoding.

    tensor<4x8xf32>                          static
    tensor<?x128x?xf32, #nd.sym<b, 2*s + 1>> two symbolic dimensions

Stock tools parse both. Types are interned by `tensor`, so that comparing them is comparing pointers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeGuard, cast

import numpy as np
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ComplexType,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    NoneAttr,
    Signedness,
    TensorType,
    bf16,
    f4E2M1FN,
    f8E3M4,
    f8E4M3,
    f8E4M3B11FNUZ,
    f8E4M3FN,
    f8E4M3FNUZ,
    f8E5M2,
    f8E5M2FNUZ,
    f16,
    f32,
    f64,
    i1,
    i8,
    i16,
    i32,
    i64,
)
from xdsl.ir import Attribute
from xdsl.utils.exceptions import VerifyException

from .attributes import ComplexAttr, DTypeVar, SymAttr
from .dims import Shape, Sym

Type = TensorType[Any]

ui8, ui16, ui32, ui64 = (IntegerType(n, Signedness.UNSIGNED) for n in (8, 16, 32, 64))
i4, ui4 = IntegerType(4), IntegerType(4, Signedness.UNSIGNED)
c64, c128 = ComplexType(f32), ComplexType(f64)
i2, ui2 = IntegerType(2), IntegerType(2, Signedness.UNSIGNED)

FLOAT = (f32, f64, f16, bf16)
COMPLEX = (c64, c128)
SIGNED = (i32, i64, i8, i16)
UNSIGNED = (ui8, ui16, ui32, ui64)
INTEGER = (*SIGNED, *UNSIGNED)
NUMERIC = (*FLOAT, *INTEGER)
ANALYTIC = (*FLOAT, *COMPLEX)
FIELD = (*NUMERIC, *COMPLEX)
"""What is added and multiplied; only `NUMERIC` has an order."""

BOOL = (i1,)
LOGICAL = (*BOOL, *INTEGER)
COMPUTED = (*NUMERIC, *BOOL)
"""What ops compute with, complex numbers aside."""

SMALL = (i4, ui4, i2, ui2)
"""Integers of fewer than eight bits, the low ones of a byte."""

STORAGE = (f8E4M3FN, f8E5M2, f8E4M3, f8E3M4, f8E4M3B11FNUZ, f8E4M3FNUZ, f8E5M2FNUZ, f4E2M1FN, *SMALL)
"""What is only stored, moved and converted."""

ANY = (*COMPUTED, *COMPLEX, *STORAGE)

_OWN: dict[Attribute, str] = {
    f32: "float32",
    f64: "float64",
    f16: "float16",
    i1: "bool",
    i8: "int8",
    i16: "int16",
    i32: "int32",
    i64: "int64",
    ui8: "uint8",
    ui16: "uint16",
    ui32: "uint32",
    ui64: "uint64",
    c64: "complex64",
    c128: "complex128",
}
_ML_DTYPES: dict[Attribute, str] = {
    bf16: "bfloat16",
    f8E4M3FN: "float8_e4m3fn",
    f8E5M2: "float8_e5m2",
    f8E4M3: "float8_e4m3",
    f8E3M4: "float8_e3m4",
    f8E4M3B11FNUZ: "float8_e4m3b11fnuz",
    f8E4M3FNUZ: "float8_e4m3fnuz",
    f8E5M2FNUZ: "float8_e5m2fnuz",
    f4E2M1FN: "float4_e2m1fn",
    i4: "int4",
    ui4: "uint4",
    i2: "int2",
    ui2: "uint2",
}
NAMES = {**_OWN, **_ML_DTYPES}
"""NumPy's name of each element type, or that of `ml_dtypes`."""

BY_NAME = {name: dtype for dtype, name in NAMES.items()}


class _NumpyTypes(dict[Attribute, np.dtype[Any]]):
    """Loads `ml_dtypes` when one of its types is met: most programs have none."""

    def __missing__(self, key: Attribute) -> np.dtype[Any]:
        if key not in _ML_DTYPES:
            raise KeyError(key)
        import ml_dtypes

        self.update((t, np.dtype(getattr(ml_dtypes, name))) for t, name in _ML_DTYPES.items())
        return self[key]

    def get(self, key: Attribute, default: Any = None) -> Any:
        return self[key] if key in NAMES else default

    def __contains__(self, key: object) -> bool:
        return key in NAMES


NUMPY = _NumpyTypes((t, np.dtype(name)) for t, name in _OWN.items())
"""NumPy's side of each element type."""


def value_type(dtype: Attribute) -> Attribute:
    """The type in which the value of a constant is written."""
    return f64 if isinstance(dtype, DTypeVar) else dtype


def takes(dtypes: Sequence[Attribute], dtype: Attribute) -> bool:
    """Does an op of these element types take this one? An open one is checked when it is known."""
    return dtype in dtypes or isinstance(dtype, DTypeVar)


def described(dtypes: Sequence[Attribute]) -> str:
    """The element types as an error says them: known sets by their names, others one by one."""
    integers = "i8 to i64 or ui8 to ui64"
    numbers = f"a number type (f16, bf16, f32, f64, {integers})"
    complexes = "complex<f32> or complex<f64>"
    field = f"a number or complex type (f16, bf16, f32, f64, i8 to i64, ui8 to ui64, {complexes})"
    storage = "a storage type (f8E4M3FN and other f8 types, f4E2M1FN, i4, ui4, i2 or ui2)"
    known: dict[tuple[Attribute, ...], str] = {
        FLOAT: "a float type (f16, bf16, f32 or f64)",
        COMPLEX: f"a complex type ({complexes})",
        ANALYTIC: f"a float or complex type (f16, bf16, f32, f64, {complexes})",
        FIELD: field,
        INTEGER: f"an integer type ({integers})",
        NUMERIC: numbers,
        LOGICAL: f"i1 or an integer type ({integers})",
        COMPUTED: f"i1 or {numbers}",
        STORAGE: storage,
        ANY: f"i1, {field} or {storage}",
    }
    *most, last = map(str, dtypes)
    return known.get(tuple(dtypes)) or (f"{', '.join(most)} or {last}" if most else last)


@lru_cache(None)
def tensor(shape: Shape, dtype: Attribute) -> Type:
    """The one type object of this shape and element type."""
    syms = tuple(d for d in shape if isinstance(d, Sym))
    dims = [DYNAMIC_INDEX if isinstance(d, Sym) else d for d in shape]
    return TensorType(dtype, dims, SymAttr(syms) if syms else NoneAttr())


def shape_of(t: Attribute) -> Shape:
    """The shape; kept on the type object, since hashing a type to look it up costs 7 us."""
    try:
        return t.nd_shape  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType]
    except AttributeError:
        pass
    object.__setattr__(t, "nd_shape", shape := _shape(t))
    return shape


def _shape(t: Attribute) -> Shape:
    if not is_tensor(t):
        raise VerifyException(f"expected a ranked tensor, found {t}")
    sizes = t.get_shape()
    syms = list(t.encoding.data) if isinstance(t.encoding, SymAttr) else []
    if sizes.count(DYNAMIC_INDEX) != len(syms):
        raise VerifyException(
            f"expected #nd.sym to name {sizes.count(DYNAMIC_INDEX)} dimensions, found {len(syms)} in {t}"
        )
    return tuple(syms.pop(0) if d == DYNAMIC_INDEX else d for d in sizes)


def is_tensor(t: Attribute) -> TypeGuard[Type]:
    return isinstance(t, TensorType)


def element(t: Attribute) -> Attribute:
    assert is_tensor(t)
    return t.element_type


def with_shape(t: Attribute, shape: Shape) -> Type:
    return tensor(shape, element(t))


def is_float(t: Attribute) -> bool:
    """Of a tensor type or an element type: real or complex floats."""
    dtype = t.element_type if is_tensor(t) else t
    return not isinstance(dtype, IntegerType)


def is_complex(t: Attribute) -> bool:
    """Of a tensor type or an element type."""
    return isinstance(t.element_type if is_tensor(t) else t, ComplexType)


def part_of(dtype: Attribute) -> Attribute:
    """The element type of a complex type's parts; of another type itself."""
    if not is_complex(dtype):
        return dtype
    return cast("ComplexType[Any]", dtype).element_type


def complex_of(dtype: Attribute) -> Attribute:
    """The complex type that holds the floats of a type."""
    if is_complex(dtype):
        return dtype
    return c128 if dtype == f64 else c64


def is_unsigned(t: Attribute) -> bool:
    """Of a tensor type or an element type; i1 counts, since true is 1."""
    dtype = t.element_type if is_tensor(t) else t
    return dtype in (i1, ui4, ui2, *UNSIGNED)


SIGNLESS = {8: i8, 16: i16, 32: i32, 64: i64}


def stored(dtype: Attribute) -> Attribute:
    """The type below the tensor level: integers without a sign, bytes for what is only stored."""
    if (is_float(dtype) and dtype not in STORAGE) or dtype == i1:
        return dtype
    return SIGNLESS[max(width(dtype), 8)]


def same_storage(x: Attribute, y: Attribute) -> bool:
    """Are these one type, or tensor types of one below the tensor level?"""
    return x == y or (
        is_tensor(x) and is_tensor(y) and shape_of(x) == shape_of(y) and stored(element(x)) == stored(element(y))
    )


def width(dtype: Attribute) -> int:
    """Bits of an element."""
    if is_complex(dtype):
        return 2 * width(part_of(dtype))
    return dtype.bitwidth  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]


def kind_of(dtype: np.dtype[Any]) -> str:
    """NumPy's letter, also for types of `ml_dtypes`, whose own is V: f, c, i, u or b."""
    if dtype.kind in "fiubc" and dtype.isbuiltin == 1:
        return dtype.kind
    found = BY_NAME.get(dtype.name)
    return dtype.kind if found is None else "f" if is_float(found) else "u" if is_unsigned(found) else "i"


def finfo(dtype: np.dtype[Any]) -> Any:
    """NumPy's or `ml_dtypes`' facts of a float type."""
    if dtype.isbuiltin == 1:
        return np.finfo(dtype)
    import ml_dtypes

    return cast(Any, ml_dtypes).finfo(dtype)


def dtype_of(x: np.ndarray[Any, Any] | np.generic) -> Attribute:
    """The element type of an array in any byte order."""
    return of_numpy(x.dtype)


def of_numpy(dtype: np.dtype[Any]) -> Attribute:
    """The element type that is NumPy's, or `ml_dtypes`', of this name."""
    found = BY_NAME.get(dtype.name)
    if found is None:
        raise ValueError(f"expected elements of a float, complex, integer or bool type, found {dtype}: convert first")
    return found


@lru_cache(4096)
def _scalar(
    value: Any, kind: type[Any], text: str, dtype: Attribute
) -> FloatAttr[Any] | IntegerAttr[Any] | ComplexAttr:
    if isinstance(dtype, ComplexType):
        rounded = NUMPY[dtype].type(value)
        return ComplexAttr((float(rounded.real), float(rounded.imag)))
    integer: Any = IntegerAttr
    real: Any = FloatAttr
    if dtype in _ML_DTYPES and is_float(dtype):
        value = float(NUMPY[dtype].type(value))  # xDSL rounds the narrow types otherwise
    return real(float(value), value_type(dtype)) if is_float(dtype) else integer(int(value), dtype)


def scalar(value: Any, dtype: Attribute) -> FloatAttr[Any] | IntegerAttr[Any] | ComplexAttr:
    """One element as an attribute (interned; the text keeps 0 and -0 apart)."""
    return _scalar(value, cast(type[Any], type(value)), repr(value), dtype)
