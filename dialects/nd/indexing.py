"""Positions as values: argmax, argmin, one_hot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from xdsl.dialects.builtin import StringAttr, TensorType, i64
from xdsl.ir import Attribute
from xdsl.irdl import VarConstraint, operand_def, prop_def, result_def

from . import dimmap
from .dimmap import DimMap
from .dims import Dim, Shape
from .elementwise import Np
from .op import EXACT, Array, Linear, NdOp, Props, bind, number, one_dtype, op
from .reduction import Reducing
from .types import ANY, INTEGER, NUMERIC, NUMPY, Type, described, element, shape_of, tensor


class Arg(Reducing):
    """Where the extremum of one dimension is: its first occurrence; the first NaN, if there is one. The result is i64.

    Of no elements there is no position: a reduced size of 0 is an error.
    """

    FORM: ClassVar[str] = 'a reduction of one dimension such as "a b -> a"'

    @classmethod
    def check(cls, map_: DimMap) -> bool:
        return super().check(map_) and len(map_.operands[0]) == len(map_.result) + 1

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        out = super().infer(types, props)
        map_ = cls.dim_map([], props)
        for k, (i, d) in enumerate(zip(map_.operands[0], shape_of(types[0]), strict=True)):
            if d == 0 and i not in map_.result:
                raise ValueError(f"expected at least one element in dimension {k} of {types[0]}, found none")
        return out

    @classmethod
    def result_dtype(cls, dtype: Attribute) -> Attribute:
        return i64

    def terms(self, x: Np) -> int:
        return 1


@op("argmax", linear=Linear.NEVER, tolerance=EXACT, dtypes=NUMERIC)
class Argmax(Arg):
    """`nd.argmax %x "a b -> a"`."""

    x = operand_def(TensorType)
    map = prop_def(StringAttr)
    result = result_def(TensorType)
    assembly_format = "$x $map attr-dict `:` functional-type(operands, results)"

    def reference(self, x: Np) -> Np:
        return np.argmax(x, self.axes[0])


@op("argmin", linear=Linear.NEVER, tolerance=EXACT, dtypes=NUMERIC)
class Argmin(Arg):
    """`nd.argmin %x "a b -> a"`."""

    x = operand_def(TensorType)
    map = prop_def(StringAttr)
    result = result_def(TensorType)
    assembly_format = "$x $map attr-dict `:` functional-type(operands, results)"

    def reference(self, x: Np) -> Np:
        return np.argmin(x, self.axes[0])


@op("one_hot", linear=Linear.NEVER, tolerance=EXACT, dtypes=INTEGER)
class OneHot(NdOp):
    """`nd.one_hot %labels : tensor<5xi64> -> tensor<5x10xf32>`: 1 at the label's place of a new last dimension, else 0.

    Contract: labels are in 0..classes-1, and rules may use that a row sums to 1. This reference gives zeros otherwise.
    """

    T: ClassVar = VarConstraint("T", TensorType.constr())
    labels = operand_def(TensorType)
    shape = prop_def(T)
    result = result_def(T)
    assembly_format = "$labels attr-dict `:` type($labels) `->` $shape"

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        n = dimmap.names(len(shapes[0]) + 1)
        return DimMap((n[:-1],), n)

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        one_dtype(cls, types)
        labels, out = shape_of(types[0]), shape_of(props["shape"])
        if not out or out[:-1] != labels:
            raise ValueError(
                f"expected a result of the labels' shape {types[0]} and one more dimension, found {props['shape']}"
            )
        if (dtype := element(props["shape"])) not in NUMPY:
            raise ValueError(f"expected a result of {described(ANY)}, found {dtype}")
        return tensor(out, dtype)

    def reference(self, labels: Np) -> Np:
        classes = np.arange(number(shape_of(self.type)[-1]))
        return (labels[..., None] == classes).astype(NUMPY[self.type.element_type])

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        return one_hot_as(args[0], (size, *shape_of(self.type)), self.type.element_type)


def one_hot_as(labels: Array, shape: Shape, dtype: Attribute) -> Array:
    return bind(OneHot, labels, shape=tensor(tuple(shape), dtype))
