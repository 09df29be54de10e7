"""What the region of a reduction, scatter or sort computes, as nested tuples that can be compared.

    ^bb0(%a, %b): %0 = stablehlo.compare GT, %a, %b; %1 = stablehlo.select %0, %a, %b; return %1
    ("select", ("compare", "GT", ("argument", 0), ("argument", 1)), ("argument", 0), ("argument", 1))

Scalars have one shape, so that broadcasts and reshapes of them, and conversions to their own type, are left out. Values
from outside of the region stand for themselves.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from xdsl.dialects.builtin import i1
from xdsl.ir import Attribute, Block, BlockArgument, OpResult, SSAValue

from ...dialects.nd.constant import elements, is_dense
from ...dialects.nd.types import NUMPY, element, is_tensor
from ...dialects.quant.dialect import UniformType
from ...dialects.stablehlo.access import word

Expression = tuple[Any, ...]

KINDS = {
    "add": "add",
    "multiply": "mul",
    "maximum": "max",
    "minimum": "min",
    "and": "and",
    "or": "or",
    "xor": "xor",
}
LOGICAL = {"add": "or", "mul": "and", "max": "or", "min": "and"}
"""Arithmetic of i1: sums and maxima are `or`, products and minima `and`."""

MOST = 1 << 58
"""NumPy has no arrays of so many elements, not even views of one."""


def argument(k: int) -> Expression:
    return ("argument", k)


def expression(value: SSAValue, block: Block, known: dict[SSAValue, Expression] | None = None) -> Expression:
    """`known` keeps what has been found: a value that is used often is looked at once."""
    known = {} if known is None else known
    if (found := known.get(value)) is None:
        found = known[value] = _expression(value, block, known)
    return found


def _expression(value: SSAValue, block: Block, known: dict[SSAValue, Expression]) -> Expression:
    if isinstance(value, BlockArgument):
        return argument(value.index) if value.owner is block else ("outside", value)
    assert isinstance(value, OpResult)
    op = value.op
    if (number := constant_of(value)) is not None:
        return ("constant", "nan" if number != number else number)
    if op.parent is not block:
        return ("outside", value)
    name = op.name.removeprefix("stablehlo.")
    operands = [expression(v, block, known) for v in op.operands]
    if name in ("reshape", "broadcast_in_dim", "convert") and op.operands[0].type == value.type:
        return operands[0]
    if op.regions or len(op.results) != 1:
        return ("result", value)
    if name == "compare":
        return (name, word(op, "comparison_direction", ""), compare_type(op), *operands)
    more = [element(value.type)] if name in ("convert", "bitcast_convert") else []
    return (name, *more, *operands)


def compare_type(op: Any) -> str:
    """TOTALORDER, or nothing: the others follow from the operands' type."""
    found = word(op, "compare_type", "")
    return found if found == "TOTALORDER" else ""


def array_of(value: SSAValue) -> np.ndarray[Any, Any] | None:
    """The elements of a constant of a static shape, not to be written; None where they are not known."""
    t = value.type
    while isinstance(value, OpResult):
        op = value.op
        if op.name in ("stablehlo.broadcast_in_dim", "stablehlo.reshape") or (
            op.name == "stablehlo.convert" and op.operands[0].type == value.type
        ):
            value = op.operands[0]
        else:
            break
    if not isinstance(value, OpResult) or value.op.name != "stablehlo.constant":
        return None
    data = value.op.properties.get("value")
    if not is_tensor(t) or not is_dense(data) or (dtype := NUMPY.get(t.element_type)) is None:
        return None
    if max(prod(t.get_shape()), prod(data.get_shape())) >= MOST:
        return None
    found = elements(data, dtype)
    if value.type == t:
        return found.reshape(t.get_shape())
    same = t.has_static_shape() and found.size > 0 and data.is_splat()
    return np.broadcast_to(found[0], t.get_shape()) if same else None


def distinct(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """One element of an array that has one in memory: of any size, it is looked at without much."""
    return x if any(x.strides) else x.reshape(-1)[:1]


def constant_of(value: SSAValue) -> Any:
    """The number that a constant holds in all of its elements; None where it is not known."""
    found = array_of(value)
    if found is None or not found.size:
        return None
    found = distinct(found)
    first = found.flat[0]
    return first.item() if ((found == first) | ((found != found) & (first != first))).all() else None


def returned(block: Block) -> list[SSAValue]:
    last = block.last_op
    assert last is not None
    return list(last.operands)


def combiners(block: Block) -> list[str | None]:
    """For each pair of arguments (k, k + n) what combines them to the result k.

    add, mul, max, min, and, or, xor; `first` or `set` where one of them is the result; None for anything else.
    """
    results = returned(block)
    n = len(results)
    known: dict[SSAValue, Expression] = {}
    return [combiner(expression(v, block, known), k, k + n, element(v.type)) for k, v in enumerate(results)]


def combiner(e: Expression, first: int, second: int, dtype: Attribute) -> str | None:
    if e[0] == "argument":
        return {first: "first", second: "set"}.get(e[1])
    kind = KINDS.get(e[0])
    if kind is None or set(e[1:]) != {argument(first), argument(second)}:
        return None
    if isinstance(dtype, UniformType) and kind not in ("max", "min"):  # stored numbers only have the order of the reals
        return None
    return LOGICAL.get(kind, kind) if dtype == i1 else kind


def arg_extremum(block: Block) -> str | None:
    """argmax or argmin, where the region keeps the greater or the lesser of pairs (value, index).

    Of equal values the one of the least index stays, and NaN wins: v0 > v1 | v0 != v0, then | v0 == v1 & i0 < i1.
    """
    results = returned(block)
    if len(results) != 2:
        return None
    known: dict[SSAValue, Expression] = {}
    found = [expression(v, block, known) for v in results]
    v0, i0, v1, i1_ = map(argument, range(4))
    for direction, name in (("GT", "argmax"), ("LT", "argmin")):
        taken = ("or", ("compare", direction, "", v0, v1), ("compare", "NE", "", v0, v0))
        same = ("and", ("compare", "EQ", "", v0, v1), ("compare", "LT", "", i0, i1_))
        if found == [("select", taken, v0, v1), ("select", ("or", taken, same), i0, i1_)]:
            return name
    return None
