"""Reductions: `nd.reduce sum %x "a b -> a"`.

Over nothing they give the identity: 0, 1, -inf (or the least integer), inf (or the greatest), false, true. Integer sums
and products wrap; max and min propagate NaN; references of float sums and products accumulate in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import auto
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import StringAttr, TensorType, f32, i1
from xdsl.dialects.utils.enum_attribute import EnumAttribute
from xdsl.ir import Attribute
from xdsl.irdl import irdl_attr_definition, operand_def, prop_def, result_def
from xdsl.utils.str_enum import StrEnum

from . import dimmap
from .dimmap import DimMap
from .dims import size
from .elementwise import Np, wide
from .mapped import Mapped, distinct_names, rearrange, spread, without
from .op import EXACT, Array, NdOp, Props, Tolerance, bind, op
from .types import (
    COMPLEX,
    COMPUTED,
    NUMERIC,
    NUMPY,
    Type,
    described,
    finfo,
    is_complex,
    is_float,
    kind_of,
    part_of,
    width,
)


class ReduceKind(StrEnum):
    sum = auto()
    prod = auto()
    max = auto()
    min = auto()
    any = auto()
    all = auto()


@irdl_attr_definition
class ReduceKindAttr(EnumAttribute[ReduceKind]):
    name = "nd.reduce_kind"


KINDS = {k.name: ReduceKindAttr(k) for k in ReduceKind}

COMBINER = {"sum": "+", "prod": "*", "max": "max", "min": "min", "any": "|", "all": "&"}


def identity(kind: str, dtype: np.dtype[Any]) -> Any:
    """The value of a reduction over nothing."""
    if kind in ("max", "min"):
        low, high = (-np.inf, np.inf) if kind_of(dtype) == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        return low if kind == "max" else high
    return {"sum": 0, "prod": 1, "any": False, "all": True}[kind]


def keeps_some(map_: DimMap) -> bool:
    """ "a b c -> a c": the result's names stand in the operand, in order."""
    return (
        len(map_.operands) == 1
        and distinct_names(*map_.operands, map_.result)
        and tuple(i for i in map_.operands[0] if i in map_.result) == map_.result
    )


class ByKind(NdOp):
    """Ops whose property `kind` says how they combine."""

    @property
    def word(self) -> str:
        """sum, prod, max, min, any or all."""
        kind: Any = self.properties["kind"]
        return kind.data.value

    @property
    def tolerance(self) -> Tolerance:
        """Products err by each factor; max, min, any and all not at all."""
        return Tolerance(sums=4) if self.word in ("sum", "prod") else EXACT


class Reducing(Mapped):
    """One operand, some of whose dimensions the result lacks."""

    FORM: ClassVar[str] = 'a reduction such as "a b c -> a c", the kept names in their order'

    @classmethod
    def check(cls, map_: DimMap) -> bool:
        return keeps_some(map_)

    def terms(self, x: Np) -> int:
        return int(np.prod([x.shape[k] for k in self.axes], dtype=np.int64))


@op("reduce", dtypes=(*COMPUTED, *COMPLEX), tolerance=Tolerance(sums=4))
class Reduce(ByKind, Reducing):
    kind = prop_def(ReduceKindAttr)
    x = operand_def(TensorType)
    map = prop_def(StringAttr)
    result = result_def(TensorType)
    assembly_format = "$kind $x $map attr-dict `:` functional-type(operands, results)"

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        check_kind(props["kind"], types[0])
        return super().infer(types, props)

    def reference(self, x: Np) -> Np:
        return reduced(self.word, x, self.axes)

    def magnitude(self, x: Np) -> Any:
        if self.word == "prod":
            return product_size(np.abs(wide(x)), self.axes, self.type) * np.sqrt(max(self.terms(x), 1))
        return np.sum(np.abs(wide(x)), axis=self.axes) if self.word == "sum" else None

    def tangent(self, tangents: Sequence[Array | None]) -> Array | None:
        t, x, y, m = tangents[0], Array(self.x), Array(self.result), self.dims
        if t is None:
            return None
        match self.word:
            case "sum":
                return self.again([t])
            case "prod":
                return product_tangent(x, t, self.axes)
            case _:  # max, min: the mean over the places that attain it
                from .functions import convert

                at = convert(x == spread(y, m, x.shape), x.dtype)
                total = [bind(Reduce, a, kind=KINDS["sum"], map=self.map) for a in (t * at, at)]
                return total[0] / total[1]

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        assert self.word == "sum", f"{self.name} {self.word} is not linear"
        return super().transpose(ct, linear)

    def statement(self) -> str:
        return self.dims.statement("{}", COMBINER[self.word])


def product_size(values: Np, axes: tuple[int, ...], t: Type) -> Np:
    """Products of magnitudes; infinite, which claims nothing, where one on the way may leave the range of its type."""
    whole = np.prod(values, axis=axes)
    if not is_float(t):
        return whole
    dtype = part_of(t.element_type)
    kind = NUMPY[f32 if width(dtype) < 32 else dtype]
    finite = np.where(np.isfinite(values) & (values != 0), values, 1)
    most, least = np.prod(np.maximum(finite, 1), axis=axes), np.prod(np.minimum(finite, 1), axis=axes)
    left = (most > float(finfo(kind).max)) | (least < float(finfo(kind).smallest_normal))
    return np.where(left, np.inf, whole)


def check_kind(kind: Attribute, of: Type) -> None:
    """any and all are of i1, the other kinds of numbers."""
    assert isinstance(kind, ReduceKindAttr)
    if (of.element_type == i1) != (kind.data.name in ("any", "all")):
        want = "i1" if kind.data.name in ("any", "all") else described(NUMERIC)
        raise ValueError(f"expected elements of {want} for {kind.data.name}, found {of}")
    if is_complex(of) and kind.data.name in ("max", "min"):
        raise ValueError(f"expected numbers that have an order for {kind.data.name}, found {of}")


def reduced(kind: str, x: Np, axes: tuple[int, ...]) -> Np:
    """The reference of a reduction."""
    if kind in ("max", "min"):
        return extremum(kind, x, axes)
    out = {"sum": np.sum, "prod": np.prod, "any": np.any, "all": np.all}[kind](wide(x), axis=axes)
    return np.asarray(out).astype(x.dtype)


def extremum(kind: str, x: Np, axes: tuple[int, ...]) -> Np:
    """max or min with the sign of zero: +0 is above -0, whatever NumPy's order of evaluation."""
    reduce_ = np.max if kind == "max" else np.min
    v = wide(x)
    out = np.asarray(reduce_(v, axis=axes, initial=identity(kind, x.dtype), keepdims=True))
    if kind_of(x.dtype) == "f":
        pick = ~np.signbit(v) if kind == "max" else np.signbit(v)
        has = np.any((v == 0) & pick, axis=axes, keepdims=True)
        plus = has if kind == "max" else ~has
        out = np.where(out == 0, np.where(plus, 0.0, -0.0), out)
    return np.squeeze(out, axes).astype(x.dtype)


def product_tangent(x: Array, t: Array, axes: Sequence[int]) -> Array:
    """The tangent of a product without division, so that zeros are right, to any order.

    Of a reduced size that is a number: a tree of pairs, (p, dp)(q, dq) -> (p q, dp q + p dq). Else for each element
    the product of a copy in which it is replaced by 1: quadratic in the reduced size.
    """
    from .functions import concatenate, ones_like
    from .movement import reshape, slice_, transpose

    kept = [k for k in range(x.ndim) if k not in axes]
    n = size(x.shape[k] for k in axes)
    if not isinstance(n, int):
        return reduce("sum", t * others_product(x, axes), axes)
    front = tuple(x.shape[k] for k in kept)
    p, dp = (reshape(transpose(a, [*kept, *axes]), (*front, n)) for a in (x, t))
    while n > 1:
        half, odd = divmod(n, 2)
        if odd:
            one = ones_like(slice_(p, [0] * p.ndim, [1] * p.ndim, (*front, 1)))
            p, dp = concatenate([p, one], -1), concatenate([dp, one - one], -1)
            half += 1
        starts = [[0] * len(front) + [k * half] for k in (0, 1)]
        (p, q), (dp, dq) = ([slice_(a, s, [1] * a.ndim, (*front, half)) for s in starts] for a in (p, dp))
        p, dp, n = p * q, dp * q + p * dq, half
    return reduce("sum", dp, [len(front)])


def others_product(x: Array, axes: Sequence[int]) -> Array:
    """For each element the product of all others along the axes."""
    from .functions import eye_mask, full, select

    n = dimmap.names(x.ndim + len(axes))
    copy = {k: n[x.ndim + j] for j, k in enumerate(axes)}  # where the factors of one element's copy stand
    shape = (*x.shape, *(x.shape[k] for k in axes))
    factors = rearrange(x, DimMap((tuple(copy.get(k, n[k]) for k in range(x.ndim)),), n), shape)
    itself = eye_mask(shape, [(k, x.ndim + j) for j, k in enumerate(axes)])
    return reduce("prod", select(itself, full(1, factors.type), factors), range(x.ndim, len(shape)))


def reduce(kind: str, x: Array, axes: Sequence[int]) -> Array:
    """Reduce some dimensions (from 0; none: the operand itself)."""
    if not axes:
        return x
    return bind(Reduce, x, kind=KINDS[kind], map=without(x.ndim, tuple(axes)))


def sum_all(x: Array) -> Array:
    return reduce("sum", x, range(x.ndim))
