"""Elementwise ops whose operands and result differ in type: compare, select, convert.

A comparison with NaN is false, `ne` true. Conversion to an integer rounds towards zero, saturates, and gives 0 for NaN;
between integers it wraps; to i1 it asks whether the value is not 0. Floats are rounded once, to nearest even. What is
too large becomes infinite, NaN where a type has no infinity, the largest number in f4, whose NaN is 0. A complex number
becomes a real one by its real part; the truth value asks for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import auto
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import TensorType, f4E2M1FN, i1
from xdsl.dialects.utils.enum_attribute import EnumAttribute
from xdsl.ir import Attribute, TypeAttribute
from xdsl.irdl import VarConstraint, irdl_attr_definition, operand_def, prop_def, result_def
from xdsl.utils.str_enum import StrEnum

from .elementwise import Elementwise, Np, same_type, wide
from .op import EXACT, Array, Linear, Props, bind, one_dtype, op, zeros_like
from .types import (
    ANY,
    COMPLEX,
    COMPUTED,
    NUMPY,
    Type,
    described,
    is_complex,
    is_float,
    is_unsigned,
    kind_of,
    of_numpy,
    shape_of,
    takes,
    tensor,
    width,
)


class CompareKind(StrEnum):
    eq = auto()
    ne = auto()
    lt = auto()
    le = auto()
    gt = auto()
    ge = auto()


@irdl_attr_definition
class CompareKindAttr(EnumAttribute[CompareKind]):
    name = "nd.compare_kind"


COMPARE = {k.name: CompareKindAttr(k) for k in CompareKind}

_COMPARE: dict[str, Any] = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}


@op("compare", linear=Linear.NEVER, tolerance=EXACT, dtypes=(*COMPUTED, *COMPLEX))
class Compare(Elementwise):
    """`nd.compare gt %x, %y`; i1 has an order too: false is below true. Complex numbers have none: `eq` and `ne`."""

    T: ClassVar = VarConstraint("T", TensorType.constr())
    kind = prop_def(CompareKindAttr)
    x = operand_def(T)
    y = operand_def(T)
    result = result_def(TensorType)
    assembly_format = "$kind $x `,` $y attr-dict `:` type($x) `->` type($result)"

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        t, kind = super().infer(types, props), props["kind"]
        if is_complex(t) and kind not in (COMPARE["eq"], COMPARE["ne"]):
            raise ValueError(f"expected numbers that have an order, found {t}; compare real parts or magnitudes")
        return tensor(shape_of(t), i1)

    def reference(self, x: Np, y: Np) -> Np:
        return _COMPARE[self.kind.data.name](x, y)


@op("select", linear=Linear.JOINT, tolerance=EXACT, dtypes=ANY, element="{} ? {} : {}")
class Select(Elementwise):
    """`nd.select %p, %x, %y`: x where p, else y."""

    T: ClassVar = VarConstraint("T", TensorType.constr())
    pred = operand_def(TensorType)
    x = operand_def(T)
    y = operand_def(T)
    result = result_def(T)
    assembly_format = "$pred `,` $x `,` $y attr-dict `:` type($pred) `,` type($result)"

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        same_type(types[1:])
        one_dtype(cls, types[1:])
        if types[0] != (want := tensor(shape_of(types[1]), i1)):
            raise ValueError(f"expected a predicate of type {want}, found {types[0]}")
        return types[1]

    def reference(self, p: Np, x: Np, y: Np) -> Np:
        return np.where(p, x, y)

    def jvp(self, tangents: Sequence[Array | None]) -> Sequence[Array | None]:
        dx, dy = (t if t is not None else zeros_like(Array(self.result)) for t in tangents[1:])
        return [bind(Select, Array(self.pred), dx, dy)]

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        p, zero = Array(self.pred), zeros_like(ct)
        dx = bind(Select, p, ct, zero) if linear[1] else None
        return [None, dx, bind(Select, p, zero, ct) if linear[2] else None]


@op("convert", linear=Linear.JOINT, tolerance=EXACT, dtypes=ANY)
class Convert(Elementwise):
    """`nd.convert %x to f64`. Between floats it is linear; to or from an integer no tangent passes."""

    x = operand_def(TensorType)
    to = prop_def(TypeAttribute)
    result = result_def(TensorType)
    assembly_format = "$x `to` $to attr-dict `:` type($x) `->` type($result)"

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        one_dtype(cls, types)
        if not takes(ANY, props["to"]):
            raise ValueError(f"expected to convert to {described(ANY)}, found {props['to']}")
        return tensor(shape_of(types[0]), props["to"])

    def reference(self, x: Np) -> Np:
        return convert_elements(x, NUMPY[self.to])

    def jvp(self, tangents: Sequence[Array | None]) -> Sequence[Array | None]:
        t = tangents[0]
        return [bind(Convert, t, to=self.to) if t is not None and is_float(self.to) else None]

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [convert(ct, Array(self.x).dtype)]


def convert(x: Array, to: Attribute) -> Array:
    return x if x.dtype == to else bind(Convert, x, to=to)


def convert_elements(x: Np, to: np.dtype[Any]) -> Np:
    """The reference of a conversion: rounds once."""
    if x.dtype == to:
        return x
    of, kind = kind_of(x.dtype), kind_of(to)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if kind == "b":
            return wide(x) != 0
        if kind == "c":
            return x.astype(to)
        if of == "c":
            x, of = np.real(x), "f"
        if kind == "f":
            return narrow(x, to)
        return saturated(wide(x), to) if of == "f" else wrapped(x, to)


def limits(dtype: Attribute) -> tuple[int, int]:
    """The least and the greatest value of an integer type."""
    bits = width(dtype)
    return (0, (1 << bits) - 1) if is_unsigned(dtype) else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def saturated(x: Np, to: np.dtype[Any]) -> Np:
    """Towards zero; the nearest integer there is for what is out of range, 0 for NaN."""
    low, high = limits(of_numpy(to))
    whole = np.uint64 if low == 0 else np.int64
    inside = np.where((x > low - 1) & (x < float(high + 1)), np.trunc(x), 0).astype(whole)
    return np.where(x >= float(high + 1), whole(high), np.where(x <= low - 1, whole(low), inside)).astype(to)


def wrapped(x: Np, to: np.dtype[Any]) -> Np:
    """The low bits, in two's complement."""
    dtype = of_numpy(to)
    if width(dtype) % 8 == 0:
        return x.astype(np.int64).astype(to) if kind_of(x.dtype) == "i" else x.astype(to)
    low = x.astype(np.int64) & ((1 << width(dtype)) - 1)
    return (low if is_unsigned(dtype) else low - ((low >> (width(dtype) - 1)) << width(dtype))).astype(to)


def narrow(x: Np, to: np.dtype[Any]) -> Np:
    """Numbers as floats of any type, to nearest even in one step: what lies between is rounded to odd."""
    if to.name in ("float64", "float32") or kind_of(x.dtype) == "b":
        return x.astype(to)
    if kind_of(x.dtype) in "iu":
        x = odd(x)
    if to == np.float16:
        return x.astype(to)
    y = odd_f32(x) if x.dtype == np.float64 else x.astype(np.float32)
    return (np.where(np.isnan(y), np.float32(0), y) if of_numpy(to) == f4E2M1FN else y).astype(to)


def odd(x: Np) -> Np:
    """Integers as float64; those of more than 53 bits rounded to odd."""
    if x.dtype.itemsize < 8:
        return x.astype(np.float64)
    low = x & x.dtype.type(0x7FF)
    many = (x > 1 << 53) | (x < -(1 << 53) if x.dtype.kind == "i" else False)
    sticky = (x - low) | (low != 0).astype(x.dtype) * x.dtype.type(0x800)
    return np.where(many, sticky, x).astype(np.float64)


def odd_f32(x: Np) -> Np:
    """float64 as float32, rounded to odd."""
    y = x.astype(np.float32)
    back = y.astype(np.float64)
    y = np.where(np.abs(back) > np.abs(x), np.nextafter(y, np.float32(0)), y)
    bits = y.view(np.int32) | ((back != x) & np.isfinite(x)).astype(np.int32)
    return np.where(np.isnan(x), np.float32(np.nan), bits.view(np.float32))
