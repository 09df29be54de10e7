"""nd.concat: several values as one. Its dimension map cannot say which part of a dimension is whose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import prop_def, result_def, var_operand_def

from . import dimmap
from .attributes import DimsAttr, dims_attr
from .dimmap import DimMap
from .dims import Dim, Shape
from .elementwise import Np
from .movement import slice_
from .op import Array, Linear, NdOp, Props, bind, expand, number, one_dtype, op
from .types import ANY, Type, shape_of, tensor


@op("concat", linear=Linear.JOINT, flops=0, dtypes=ANY)
class Concat(NdOp):
    """`nd.concat %x, %y along [1]`: one after the other in one dimension."""

    xs = var_operand_def(TensorType)
    axis = prop_def(DimsAttr)
    result = result_def(TensorType)
    assembly_format = "$xs `along` $axis attr-dict `:` functional-type(operands, results)"

    @property
    def along(self) -> int:
        return number(self.axis.data[0])

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        """Piecewise: each operand covers a part of the dimension, so that name is opaque."""
        axis = props["axis"]
        assert isinstance(axis, DimsAttr)
        dims = tuple(dimmap.OPAQUE if k in axis.data else i for k, i in enumerate(dimmap.names(len(shapes[0]))))
        return DimMap((dims,) * len(shapes), dims)

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        axis, shapes = props["axis"], [shape_of(t) for t in types]
        assert isinstance(axis, DimsAttr)
        if not types:
            raise ValueError("expected at least one operand, found none")
        rank = len(shapes[0])
        if len(axis.data) != 1 or not isinstance(d := axis.data[0], int) or not 0 <= d < rank:
            raise ValueError(f"expected one dimension from 0 to {rank - 1} in `along`, found {axis.data}")
        cls.dim_map(shapes, props).extents(shapes)
        total: Dim = 0
        for s in shapes:
            total = total + s[d]
        return tensor((*shapes[0][:d], total, *shapes[0][d + 1 :]), one_dtype(cls, types))

    def reference(self, *xs: Np) -> Np:
        return np.concatenate(xs, self.along)

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        out: list[Array | None] = []
        at: Dim = 0
        for v, f in zip(self.operands, linear, strict=True):
            shape = shape_of(v.type)
            start = [at if k == self.along else 0 for k in range(len(shape))]
            out.append(slice_(ct, start, [1] * len(shape), shape) if f else None)
            at = at + shape[self.along]
        return out

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        return concat([a if f else expand(a, size) for a, f in zip(args, flags, strict=True)], self.along + 1)


def concat(xs: Sequence[Array], axis: int) -> Array:
    return xs[0] if len(xs) == 1 else bind(Concat, *xs, axis=dims_attr([axis]))
