"""Rounding, limits, signs and shifts: what is done twice or changes nothing.

Each rule has its equation as comment; c, d are constants with one value for all elements.
"""

# Rules read the operands and properties of their op by name, so `op` is Any.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from math import inf
from typing import Any

from ....dialects.nd.arithmetic import Ceil, Clamp, CopySign, Quotient, Rem, Round, RoundAway, Shl, Shr, Trunc
from ....dialects.nd.array import Array
from ....dialects.nd.elementwise import Abs, Floor, Max, Min, Neg
from ....dialects.nd.op import bind
from ....dialects.nd.selection import Convert
from ..rewriting import Table
from .patterns import A, defined, floats, like, neg, splat

rules = Table()
on = rules.on

ROUNDINGS = (Floor, Ceil, Trunc, Round, RoundAway)


@on(*ROUNDINGS, level="exact")
def round_whole(op: Any) -> Array | None:  # ceil(floor(x)) -> floor(x), any two roundings; also of a converted integer
    if any(defined(op.x, kind) for kind in ROUNDINGS):
        return A(op.x)
    if (c := defined(op.x, Convert)) and not floats(c.x):
        return A(op.x)


@on(Shl, Shr, level="exact")
def shift_nothing(op: Any) -> Array | None:  # x << 0 -> x;  x >> 0 -> x
    if splat(op.y) == 0:
        return A(op.x)


@on(Clamp, level="exact")
def clamp_one_side(op: Any) -> Array | None:  # clamp(-inf, x, d) -> min(x, d);  clamp(c, x, inf) -> max(x, c)
    if floats(op.x) and splat(op.low) == -inf:
        return bind(Min, A(op.x), A(op.high))
    if floats(op.x) and splat(op.high) == inf:
        return bind(Max, A(op.x), A(op.low))


@on(Clamp, level="exact")
def clamp_clamped(op: Any) -> Array | None:  # clamp(c, clamp(c, x, d), d) -> clamp(c, x, d)
    if (inner := defined(op.x, Clamp)) and inner.low is op.low and inner.high is op.high:
        return A(op.x)


@on(CopySign, level="exact")
def copysign_signed(op: Any) -> Array | None:  # copysign(-x, y) -> copysign(x, y), also of |x| and copysign(x, z)
    for kind in (Neg, Abs, CopySign):
        if inner := defined(op.x, kind):
            return bind(CopySign, A(inner.x), A(op.y))


@on(Abs, level="exact")
def abs_copysign(op: Any) -> Array | None:  # |copysign(x, y)| -> |x|
    if c := defined(op.x, CopySign):
        return bind(Abs, A(c.x))


@on(Quotient, level="exact")
def quotient_one(op: Any) -> Array | None:  # x quo 1 -> x;  x quo -1 -> -x
    if splat(op.y) == 1:
        return A(op.x)
    if splat(op.y) == -1:
        return neg(op.x)


@on(Rem, level="exact")
def rem_one(op: Any) -> Array | None:  # x rem 1 -> 0;  x rem -1 -> 0, for integers
    if not floats(op.x) and splat(op.y) in (1, -1):
        return like(0, op.result)
