"""Combiners: their identity and their scalar operation for each element type. NaN wins every max and min; `maxnan` and
`minnan` give either of two zeros; `maxnum` and `minnum` do, too, and leave NaN out; `umax` and `umin` take the bits of
integers as numbers without a sign."""

from __future__ import annotations

from math import inf
from typing import Any, cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, IntegerType, LocationAttr, i1
from xdsl.dialects.utils import FastMathFlag
from xdsl.ir import Attribute, Operation, SSAValue

FLOAT: dict[str, type[Operation]] = {
    "add": arith.AddfOp,
    "mul": arith.MulfOp,
    "max": arith.MaximumfOp,
    "min": arith.MinimumfOp,
    "maxnum": arith.MaxnumfOp,
    "minnum": arith.MinnumfOp,
}
ANY_ZERO = {"maxnan": "max", "minnan": "min"}
"""Combiners of floats that are others but for the signs of zeros."""

INTEGER: dict[str, type[Operation]] = {
    "add": arith.AddiOp,
    "mul": arith.MuliOp,
    "max": arith.MaxSIOp,
    "min": arith.MinSIOp,
    "umax": arith.MaxUIOp,
    "umin": arith.MinUIOp,
    "and": arith.AndIOp,
    "or": arith.OrIOp,
}
NO_FLAGS = arith.FastMathFlagsAttr("none")
NO_SIGNED_ZEROS = arith.FastMathFlagsAttr([FastMathFlag.NO_SIGNED_ZEROS])
NO_OVERFLOW = arith.IntegerOverflowAttr("none")
WRAPPING = ("add", "mul")


def is_integer(element: Attribute) -> bool:
    return isinstance(element, IntegerType)


def integer_width(element: Attribute) -> int:
    """Bits of an integer type."""
    return cast(Any, element).width.data


def allowed(mode: str, element: Attribute) -> bool:
    """May values of this type be combined so? A truth value only by `and` and `or`."""
    if isinstance(element, AnyFloat):
        return mode in FLOAT or mode in ANY_ZERO
    if element == i1:
        return mode in ("and", "or")
    return is_integer(element) and mode in INTEGER


def identity(mode: str, element: Attribute) -> int | float:
    """The value that a reduction over nothing gives."""
    if isinstance(element, AnyFloat):
        mode = ANY_ZERO.get(mode, mode)
        return {"add": 0.0, "mul": 1.0, "max": -inf, "min": inf, "maxnum": -inf, "minnum": inf}[mode]
    assert is_integer(element)
    if element == i1:
        return {"and": 1, "or": 0}[mode]
    top = 1 << (integer_width(element) - 1)
    return {"add": 0, "mul": 1, "max": -top, "min": top - 1, "umax": 0, "umin": -1, "and": -1, "or": 0}[mode]


def combine(mode: str, a: SSAValue, b: SSAValue, location: LocationAttr | None = None) -> Operation:
    """`a (mode) b` on scalars or vectors."""
    element = a.type
    inner = getattr(element, "element_type", element)
    table = FLOAT if isinstance(inner, AnyFloat) else INTEGER
    properties: dict[str, Attribute] = {}
    if table is FLOAT:
        properties["fastmath"] = NO_SIGNED_ZEROS if mode in ANY_ZERO else NO_FLAGS
        mode = ANY_ZERO.get(mode, mode)
    elif mode in WRAPPING:
        properties["overflowFlags"] = NO_OVERFLOW
    return table[mode].create(operands=[a, b], result_types=[element], properties=properties, location=location)
