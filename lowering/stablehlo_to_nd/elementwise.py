"""Elementwise ops: most are nd's own; where StableHLO means something else, it is built of several."""

from __future__ import annotations

from xdsl.ir import Operation

from ...dialects.nd.elementwise import Add, Exp, Tanh
from ...dialects.nd.op import Array, NdOp, bind
from .conversion import Conversion
from .table import Converter, converter

ONE_TO_ONE: dict[str, type[NdOp]] = {
    "stablehlo.add": Add,
    "stablehlo.exponential": Exp,
    "stablehlo.tanh": Tanh,
}


def _row(cls: type[NdOp]) -> Converter:
    def convert(op: Operation, operands: list[Array], c: Conversion) -> Array:
        if len(operands) > 1:
            c.alike(operands)
        return bind(cls, *operands)

    return convert


for _name, _cls in ONE_TO_ONE.items():
    converter(_name)(_row(_cls))
