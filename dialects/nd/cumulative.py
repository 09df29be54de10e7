"""Cumulative reductions: `nd.cumulative sum %x along [1]`, each element combined with those before it.

With `reverse` it is combined with those behind it. Integer sums and products wrap. NaN stays from where it appears;
max and min hold +0 above -0. Code of f32 and f64 adds and multiplies in order, in the element type (a product that
overflows stays infinite), of f16 and bf16 in f32 with one rounding for each element; references accumulate in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import auto
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import TensorType, UnitAttr
from xdsl.dialects.utils.enum_attribute import EnumAttribute
from xdsl.irdl import (
    VarConstraint,
    irdl_attr_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
)
from xdsl.utils.str_enum import StrEnum

from . import dimmap
from .attributes import DimsAttr, dims_attr
from .constant import full, iota
from .dimmap import DimMap, bare
from .dims import Dim, Shape, show
from .elementwise import Np, wide
from .mapped import rearrange
from .op import Array, NdOp, Props, Tolerance, bind, number, one_dtype, op
from .reduction import ByKind, identity, reduce
from .types import FIELD, NUMPY, Type, finfo, is_complex, is_float, kind_of, part_of, shape_of, tensor


class CumulativeKind(StrEnum):
    sum = auto()
    prod = auto()
    max = auto()
    min = auto()


@irdl_attr_definition
class CumulativeKindAttr(EnumAttribute[CumulativeKind]):
    name = "nd.cumulative_kind"


KINDS = {k.name: CumulativeKindAttr(k) for k in CumulativeKind}

UFUNC = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}


def check_along(axis: Any, of: Type) -> None:
    rank = len(shape_of(of))
    assert isinstance(axis, DimsAttr)
    if len(axis.data) != 1 or not isinstance(d := axis.data[0], int) or not 0 <= d < rank:
        raise ValueError(f"expected one dimension of {of} in `along`, found {show(axis.data)}")


class Along(NdOp):
    """Ops on the lines of one dimension, whose property `axis` it is."""

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        axis = props["axis"]
        assert isinstance(axis, DimsAttr)
        return dimmap.lines(len(shapes[0]), tuple(map(number, axis.data)))

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        check_along(props["axis"], types[0])
        one_dtype(cls, types)
        return types[0]

    @property
    def along(self) -> int:
        axis = self.properties["axis"]
        assert isinstance(axis, DimsAttr)
        return number(axis.data[0])

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        return bind(type(self), *args, **{**self.properties, "axis": dims_attr([self.along + 1])})


@op("cumulative", dtypes=FIELD, tolerance=Tolerance(sums=4))
class Cumulative(ByKind, Along):
    """`nd.cumulative sum %x along [1] : tensor<2x3xf32>`; `reverse` begins at the end."""

    T: ClassVar = VarConstraint("T", TensorType.constr())
    kind = prop_def(CumulativeKindAttr)
    x = operand_def(T)
    axis = prop_def(DimsAttr)
    reverse = opt_prop_def(UnitAttr)
    result = result_def(T)
    assembly_format = "$kind $x `along` $axis (`reverse` $reverse^)? attr-dict `:` type($x)"

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        kind = props["kind"]
        if is_complex(types[0]) and kind in (KINDS["max"], KINDS["min"]):
            raise ValueError(f"expected numbers that have an order for {kind.data.name}, found {types[0]}")  # pyright: ignore
        return super().infer(types, props)

    def _in_order(self, f: Callable[[Np], Np], x: Np) -> Np:
        """f along the last dimension, from the first element to combine."""
        y = np.moveaxis(x, self.along, -1)
        y = f(y[..., ::-1])[..., ::-1] if self.reverse is not None else f(y)
        return np.ascontiguousarray(np.moveaxis(y, -1, self.along))

    def reference(self, x: Np) -> Np:
        kind = self.word

        def accumulate(y: Np) -> Np:
            if kind in ("sum", "prod"):
                return UFUNC[kind].accumulate(wide(y), -1, wide(y).dtype).astype(x.dtype)
            out = UFUNC[kind].accumulate(y, -1)
            if kind_of(y.dtype) == "f":  # the sign of zero, whatever NumPy's order of evaluation
                pick = np.logical_or.accumulate((y == 0) & (np.signbit(y) == (kind == "min")), -1)
                zero = np.where(pick == (kind == "max"), 0.0, -0.0)
                out = np.where(out == 0, zero.astype(y.dtype), out)
            return out

        return self._in_order(accumulate, x)

    def magnitude(self, x: Np) -> Any:
        match self.word:
            case "sum":
                return self._in_order(lambda y: np.add.accumulate(np.abs(wide(y)).astype(float), -1), x)
            case "prod":
                return self._in_order(self._products, x) * np.sqrt(self.terms(x))
            case _:
                return None

    def _products(self, y: Np) -> Np:
        """Magnitudes of products; infinite, which claims nothing, from where one leaves the range of the type."""
        grown = np.multiply.accumulate(np.abs(wide(y)).astype(float), -1)
        range_ = finfo(NUMPY[part_of(self.type.element_type)] if is_float(self.type) else np.dtype(float))
        left = (grown > range_.max) | ((grown < range_.smallest_normal) & (grown != 0))
        return np.where(np.logical_or.accumulate(left, -1), np.inf, grown)

    def terms(self, x: Np) -> int:
        return max(x.shape[self.along], 1)

    def tangent(self, tangents: Sequence[Array | None]) -> Array | None:
        t, x, y = tangents[0], Array(self.x), Array(self.result)
        if t is None:
            return None
        reverse = self.reverse is not None
        match self.word:
            case "sum":
                return self.again([t])
            case "prod":
                return product_tangent(x, y, t, self.along, reverse)
            case _:
                from .functions import take_along_axis

                return take_along_axis(t, attained(x, y, self.along, reverse), self.along)

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        """Each element is a part of all sums behind it."""
        assert self.word == "sum", f"{self.name} {self.word} is not linear"
        return [cumulative("sum", ct, self.along, self.reverse is None)]


def cumulative(kind: str, x: Array, axis: int, reverse: bool = False) -> Array:
    """Along a dimension from 0."""
    more = {"reverse": UnitAttr()} if reverse else {}
    return bind(Cumulative, x, kind=KINDS[kind], axis=dims_attr([axis]), **more)


def shifted(x: Array, axis: int, by: int, fill: Any, reverse: bool) -> Array:
    """Each element's neighbour `by` places before it (behind it, if `reverse`); `fill` where there is none."""
    from .movement import pad_with, slice_

    zero, around = [0] * x.ndim, [by if k == axis else 0 for k in range(x.ndim)]
    value = full(fill, tensor((), x.dtype))
    longer = pad_with(x, value, zero if reverse else around, around if reverse else zero, zero)
    return slice_(longer, around if reverse else zero, [1] * x.ndim, x.shape)


def attained(x: Array, y: Array, axis: int, reverse: bool) -> Array:
    """For a cumulative max or min y of x: the place of the latest element that attains it, of NaN the latest NaN."""
    from .functions import logical_or, select

    place = iota(x.shape, axis)
    none = full(-1 if not reverse else (1 << 63) - 1, place.type)
    hit = logical_or(x == y, x != x)
    return cumulative("min" if reverse else "max", select(hit, place, none), axis, reverse)


def product_tangent(x: Array, y: Array, t: Array, axis: int, reverse: bool) -> Array:
    """The tangent of a cumulative product without division, so that zeros are right, to any order.

    Of a size that is a number: pairs (p, dp)(q, dq) -> (p q, dp q + p dq), combined over distances 1, 2, 4 ...
    Else the sum over j of t_j, the product of what stands before j and that of what follows up to the element:
    quadratic in the size.
    """
    from .functions import less_equal, logical_and, select

    n = x.shape[axis]
    if isinstance(n, int):
        p, dp, by = x, t, 1
        while by < n:
            q, dq = shifted(p, axis, by, 1, reverse), shifted(dp, axis, by, 0, reverse)
            p, dp, by = p * q, dp * q + p * dq, 2 * by
        return dp
    # a new last dimension for j; at (.., i, .., j) x_i behind j, else 1
    shape = (*x.shape, n)
    names = tuple(map(bare, (f"n{k}" for k in range(x.ndim))))
    lines = tuple(bare("j") if k == axis else i for k, i in enumerate(names))
    all_ = (*names, bare("j"))
    here, there = iota(shape, axis), iota(shape, x.ndim)
    upto = less_equal(there, here) if not reverse else less_equal(here, there)
    ones = full(1, tensor(shape, x.dtype))
    behind = logical_and(upto, here != there)
    after = cumulative("prod", select(behind, rearrange(x, DimMap((names,), all_), shape), ones), axis, reverse)
    before = rearrange(t * shifted(y, axis, 1, 1, reverse), DimMap((lines,), all_), shape)
    return reduce("sum", select(upto, before * after, full(0, after.type)), [x.ndim])


def exclusive(kind: str, x: Array, axis: int, reverse: bool = False) -> Array:
    """Without the element itself: the first is the identity."""
    if x.shape[axis] == 0:
        return x
    return shifted(cumulative(kind, x, axis, reverse), axis, 1, identity(kind, NUMPY[x.dtype]), reverse)
