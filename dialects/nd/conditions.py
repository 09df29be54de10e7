"""Functions of the array language about truth: comparisons, logic, and choices between two values."""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import i1

from .array import Array
from .elementwise import And, Not, Or, Xor
from .op import bind
from .promotion import asarray, promote, same_shape
from .selection import COMPARE, Compare, Select


def logical_and(x: Any, y: Any) -> Array:
    """Of what is not 0, as of the next three."""
    return bind(And, *promote(truth(asarray(x)), truth(asarray(y))))


def logical_or(x: Any, y: Any) -> Array:
    return bind(Or, *promote(truth(asarray(x)), truth(asarray(y))))


def logical_xor(x: Any, y: Any) -> Array:
    return bind(Xor, *promote(truth(asarray(x)), truth(asarray(y))))


def logical_not(x: Any) -> Array:
    return bind(Not, truth(asarray(x)))


def compare(kind: str, x: Any, y: Any) -> Array:
    return bind(Compare, *promote(x, y), kind=COMPARE[kind])


def equal(x: Any, y: Any) -> Array:
    return compare("eq", x, y)


def not_equal(x: Any, y: Any) -> Array:
    return compare("ne", x, y)


def less(x: Any, y: Any) -> Array:
    return compare("lt", x, y)


def less_equal(x: Any, y: Any) -> Array:
    return compare("le", x, y)


def greater(x: Any, y: Any) -> Array:
    return compare("gt", x, y)


def greater_equal(x: Any, y: Any) -> Array:
    return compare("ge", x, y)


def select(p: Array, x: Array, y: Array) -> Array:
    """`nd.select` itself: all of one shape."""
    return bind(Select, p, x, y)


def where(p: Any, x: Any, y: Any) -> Array:
    p = truth(asarray(p))
    x, y = promote(x, y)
    return bind(Select, *same_shape(p, x, y))


def truth(x: Array) -> Array:
    return x if x.dtype == i1 else compare("ne", x, 0)
