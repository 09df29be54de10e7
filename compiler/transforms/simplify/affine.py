"""Scales and shifts behind a contraction by constants that are replicated: one of each, as of a batch norm.

    (conv(x, w) - m) / s * g + b  ->  conv(x, w) * (g / s) + (b - m * (g / s))

Products of constants are rounded once more, and products of elements once less. A shift before a scale may cancel what
it is added to; a contraction's own error is that of its terms, which are no smaller than what is cancelled. What is
computed of the constants has their size.
"""

# Rules read the operands and properties of their op by name, so `op` is Any.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from typing import Any

from xdsl.ir import Operation, SSAValue

from ....dialects.nd.array import Array
from ....dialects.nd.contraction import Contract
from ....dialects.nd.elementwise import Add, Div, Mul, Sub
from ....dialects.nd.mapped import rearrange
from ....dialects.nd.movement import Broadcast
from ....dialects.nd.op import bind
from ....dialects.nd.types import shape_of
from ...constancy import is_constant
from ..rewriting import Table
from .patterns import A, add, defined, either, floats, mul, neg, sub

rules = Table()
on = rules.on

MOST = 16
"""Ops that what counts as a constant is made of, at most: rules ask again at each op that they come by."""


def from_constants(v: SSAValue) -> bool:
    """Does a value depend on constants alone, by a few ops?"""
    return is_constant(v, MOST)


def replicated(v: SSAValue) -> Any:
    """The op that replicates a constant, or None."""
    b = defined(v, Broadcast)
    return b if b is not None and from_constants(b.x) else None


def alike(a: Any, b: Any) -> bool:
    """Are two values replicated in one way?"""
    return a.properties["map"] == b.properties["map"] and a.x.type == b.x.type


def spread(small: Array, like: Any) -> Array:
    return rearrange(small, like.dims, shape_of(like.result.type))


def alone(v: SSAValue, op: type[Operation]) -> Any:
    """The op of this class that computes v for one reader, or None."""
    return v.owner if type(v.owner) is op and v.has_one_use() else None


def of_contraction(v: SSAValue) -> bool:
    """Is it a contraction, be it scaled?"""
    if m := defined(v, Mul):
        return any(replicated(k) is not None and defined(x, Contract) is not None for x, k in either(m))
    return defined(v, Contract) is not None


@on(Mul, level="ieee")
def scale_scale(op: Any) -> Array | None:  # (x * k) * g -> x * (k * g);  (x / c) * g -> x * (g / c)
    for inner, scale in either(op):
        g = replicated(scale)
        if g is None or not floats(scale):
            continue
        if (d := alone(inner, Div)) and (c := replicated(d.y)) and alike(c, g):
            return mul(d.x, spread(bind(Div, A(g.x), A(c.x)), g))
        if m := alone(inner, Mul):
            for x, factor in either(m):
                if (k := replicated(factor)) and alike(k, g):
                    return mul(x, spread(mul(k.x, g.x), g))


@on(Div, level="ieee")
def scale_quotient(op: Any) -> Array | None:  # (x * g) / c -> x * (g / c)
    c = replicated(op.y)
    if c is None or not floats(op.y) or not (m := alone(op.x, Mul)):
        return None
    for x, factor in either(m):
        if (g := replicated(factor)) and alike(g, c):
            return mul(x, spread(bind(Div, A(g.x), A(c.x)), c))


@on(Mul, level="ieee")
def scale_shift(op: Any) -> Array | None:  # (y + m) * k -> y * k + m * k, of a contraction y; also y - m
    for inner, scale in either(op):
        k = replicated(scale)
        shifted = alone(inner, Add) or alone(inner, Sub)
        if k is None or not shifted or not floats(scale):
            continue
        y, shift = shift_of(shifted)
        if y is None or not of_contraction(y) or not alike(shift, k):
            continue
        moved = spread(mul(shift.x, k.x), k)
        scaled = mul(y, A(scale))
        return add(scaled, moved) if type(shifted) is Add else sub(scaled, moved)


@on(Add, Sub, level="ieee")
def shift_shift(op: Any) -> Array | None:  # (y + m) + t -> y + (m + t), of a contraction y; also with differences
    inner, outer = shift_of(op)
    if inner is None or not floats(inner) or not (shifted := alone(inner, Add) or alone(inner, Sub)):
        return None
    y, first = shift_of(shifted)
    if y is None or not of_contraction(y) or not alike(first, outer):
        return None
    m = A(first.x) if type(shifted) is Add else neg(first.x)
    both = add(m, outer.x) if type(op) is Add else sub(m, outer.x)
    return add(y, spread(both, outer))


def shift_of(op: Any) -> tuple[Any, Any]:
    """What a sum or difference shifts, and the replicated constant by which; (None, None) if it is none."""
    if type(op) is Sub:
        return (op.x, b) if (b := replicated(op.y)) else (None, None)
    return next(((x, b) for x, y in either(op) if (b := replicated(y))), (None, None))
