"""Order along one dimension: `nd.sort %x along [1]`, `nd.argsort %x along [1]`.

Both are stable, `descending` too: equal elements stay in their order. -0 and +0 are equal; NaN is last, also of a
descending sort, and of several NaN the first stays first. false is below true.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from xdsl.dialects.builtin import TensorType, UnitAttr, i64
from xdsl.irdl import VarConstraint, operand_def, opt_prop_def, prop_def, result_def

from .attributes import DimsAttr, dims_attr
from .cumulative import Along
from .elementwise import Np
from .op import EXACT, Array, Linear, Props, bind, op
from .types import COMPUTED, Type, kind_of, shape_of, tensor


def order(x: Np, axis: int, descending: bool) -> Np:
    """The positions in order."""
    if x.dtype.kind not in "biuf":
        x = x.astype(np.float32)
    if descending:
        x = -x if kind_of(x.dtype) == "f" else ~x
    return np.argsort(x, axis, kind="stable")


@op("sort", dtypes=COMPUTED, tolerance=EXACT)
class Sort(Along):
    """`nd.sort %x along [1] descending : tensor<2x3xf32>`."""

    T: ClassVar = VarConstraint("T", TensorType.constr())
    x = operand_def(T)
    axis = prop_def(DimsAttr)
    descending = opt_prop_def(UnitAttr)
    result = result_def(T)
    assembly_format = "$x `along` $axis (`descending` $descending^)? attr-dict `:` type($x)"

    def reference(self, x: Np) -> Np:
        return np.take_along_axis(x, order(x, self.along, self.descending is not None), self.along)

    def tangent(self, tangents: Sequence[Array | None]) -> Array | None:
        """The tangents move with the elements."""
        from .functions import take_along_axis

        if tangents[0] is None:
            return None
        places = argsort(Array(self.x), self.along, self.descending is not None)
        return take_along_axis(tangents[0], places, self.along)


@op("argsort", linear=Linear.NEVER, dtypes=COMPUTED, tolerance=EXACT)
class Argsort(Along):
    """`nd.argsort %x along [1] : (tensor<2x3xf32>) -> tensor<2x3xi64>`: the position from which each element comes."""

    x = operand_def(TensorType)
    axis = prop_def(DimsAttr)
    descending = opt_prop_def(UnitAttr)
    result = result_def(TensorType)
    assembly_format = "$x `along` $axis (`descending` $descending^)? attr-dict `:` functional-type(operands, results)"

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        return tensor(shape_of(super().infer(types, props)), i64)

    def reference(self, x: Np) -> Np:
        return order(x, self.along, self.descending is not None).astype(np.int64)


def sort(x: Array, axis: int, descending: bool = False) -> Array:
    """Along a dimension from 0."""
    more = {"descending": UnitAttr()} if descending else {}
    return bind(Sort, x, axis=dims_attr([axis]), **more)


def argsort(x: Array, axis: int, descending: bool = False) -> Array:
    """Along a dimension from 0."""
    more = {"descending": UnitAttr()} if descending else {}
    return bind(Argsort, x, axis=dims_attr([axis]), **more)
