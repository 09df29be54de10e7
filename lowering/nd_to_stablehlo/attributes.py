"""Attributes and classes of StableHLO ops, by the specification's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ArrayAttr, BytesAttr, DenseArrayBase, DenseIntOrFPElementsAttr, TensorType, i64
from xdsl.ir import Attribute, Operation

from ...dialects.chlo import dialect as chlo
from ...dialects.stablehlo import dialect as stablehlo
from ...dialects.stablehlo.dimension_numbers import (
    ConvDimensionNumbers,
    DotDimensionNumbers,
    GatherDimensionNumbers,
    ScatterDimensionNumbers,
)
from ...dialects.stablehlo.op import OPS
from ...dialects.stablehlo.words import ComparisonDirection, ComparisonType, Precision

assert chlo and stablehlo  # they fill OPS


def op_class(name: str) -> type[Operation]:
    """The class of an op, `stablehlo.add`."""
    return OPS[name]


def ints(values: Sequence[int]) -> Attribute:
    """`array<i64: 0, 1>`."""
    return DenseArrayBase.from_list(i64, [int(v) for v in values])


def pairs(values: Sequence[tuple[int, int]]) -> Attribute:
    """Padding, a matrix of two columns."""
    t: Any = TensorType(i64, [len(values), 2])
    return DenseIntOrFPElementsAttr(t, BytesAttr(np.array(values, "<i8").tobytes()))


def comparison(direction: str, kind: str) -> dict[str, Attribute]:
    return {"comparison_direction": ComparisonDirection(direction), "compare_type": ComparisonType(kind)}


def highest() -> dict[str, Attribute]:
    """The precision of both operands of a product."""
    return {"precision_config": ArrayAttr([Precision("HIGHEST"), Precision("HIGHEST")])}


dot_numbers = DotDimensionNumbers.of
gather_numbers = GatherDimensionNumbers.of
scatter_numbers = ScatterDimensionNumbers.of
conv_numbers = ConvDimensionNumbers.of
