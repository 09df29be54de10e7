"""What rules ask about values, and the short words in which they build.

Operands are SSA values, results are `Array`s: `A(x)` lifts one. All operands of the builders here have one type
already, so no promotion is needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.ir import SSAValue

from ....dialects.nd.array import Array
from ....dialects.nd.attributes import ComplexAttr
from ....dialects.nd.constant import Constant, full
from ....dialects.nd.dims import Dim
from ....dialects.nd.elementwise import Add, Mul, Neg, Sub
from ....dialects.nd.op import NdOp, bind
from ....dialects.nd.types import is_float

A = Array


def defined(v: SSAValue, op: type[NdOp]) -> Any:
    """The op of this class that computes v, or None. (Any: rules read its operands by name.)"""
    owner = v.owner
    return owner if type(owner) is op else None


def splat(v: SSAValue) -> float | int | None:
    """The one value that all elements of v have, if it is a constant of real numbers."""
    owner = v.owner
    if type(owner) is not Constant:
        return None
    value: Any = owner.properties["value"]
    return None if isinstance(value, DenseIntOrFPElementsAttr | ComplexAttr) else value.value.data


def is_constant(v: SSAValue) -> bool:
    return type(v.owner) is Constant


def floats(v: SSAValue) -> bool:
    return is_float(v.type)


def either(op: Any) -> Iterator[tuple[SSAValue, SSAValue]]:
    """The operands of a commutative op in both orders."""
    x, y = op.operands
    yield x, y
    yield y, x


def is_negative_zero(c: float | int | None) -> bool:
    return c == 0 and isinstance(c, float) and math.copysign(1, c) < 0


def is_power_of_two(c: float | int | None) -> bool:
    """Multiplying by it is exact, and so is its inverse (away from the ends of the exponent range)."""
    return isinstance(c, float) and abs(math.frexp(c)[0]) == 0.5 and 2**-64 <= abs(c) <= 2**64


def static(*sizes: Dim) -> bool:
    return all(isinstance(d, int) for d in sizes)


def add(x: SSAValue | Array, y: SSAValue | Array) -> Array:
    return bind(Add, lift(x), lift(y))


def sub(x: SSAValue | Array, y: SSAValue | Array) -> Array:
    return bind(Sub, lift(x), lift(y))


def mul(x: SSAValue | Array, y: SSAValue | Array) -> Array:
    return bind(Mul, lift(x), lift(y))


def neg(x: SSAValue | Array) -> Array:
    return bind(Neg, lift(x))


def lift(x: SSAValue | Array) -> Array:
    return x if isinstance(x, Array) else Array(x)


def like(value: float | int, v: Any) -> Array:
    """A constant of v's type."""
    return full(value, v.type)
