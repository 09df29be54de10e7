"""What keeps attention from some scores: predicates with what stands where they do not hold, causal ones, biases.

    where(mask, scores, -inf),  scores + where(mask, 0, -inf)       a mask
    the same with row >= column, from iotas in any arrangement      causal
    scores + bias                                                   a bias

A number instead of -inf has the same effect if it is so low that no score comes near it. Then a row without any allowed
key is an average of all, and not 0, so that a mask becomes a bias of 0 and this number.
"""

# Rules read the operands and properties of their op by name, so ops are Any.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

from xdsl.ir import Attribute

from ....dialects.nd.constant import Iota
from ....dialects.nd.elementwise import Add, And, Not, Sub
from ....dialects.nd.selection import Compare, Convert, Select
from ....dialects.nd.types import NUMPY, finfo, is_float, width
from ..simplify.patterns import splat
from .views import Label, View, moved, number

Linear = dict[Label, int]
"""An integer as a sum of positions along dimensions, with factors, and a number under None."""


@dataclass
class Masks:
    """What was found on the way from the weights to the scores."""

    allowed: list[View] = field(default_factory=list)
    """Predicates, -inf where they do not hold."""
    floors: list[tuple[View, float]] = field(default_factory=list)
    """Predicates with the number where they do not hold."""
    biases: list[tuple[View, float]] = field(default_factory=list)
    """Floats that are added, and their factor."""
    causal: Label | None = None
    """The dimension of the queries that keys must not be behind."""
    read: list[View] = field(default_factory=list)
    """All predicates, which others may read, too."""


def lowest(dtype: Attribute) -> float:
    """Numbers up to here stand for -inf: scores have not a sixteenth of the range of their type."""
    return -float(finfo(NUMPY[dtype]).max) / 16


def add_mask(masks: Masks, p: View, fill: float, dtype: Attribute, key: Label, fast: bool) -> bool:
    """Add a predicate and what stands where it does not hold; False if that is not low enough."""
    low = fill <= lowest(dtype) or (fast and fill <= -1e4)
    if not low:
        return False
    masks.read.append(moved(p))
    for part in conjuncts(p):
        query = causal_query(part, key)
        if query is not None and masks.causal in (None, query):
            masks.causal = query
        elif fill == -inf:
            masks.allowed.append(part)
        else:
            masks.floors.append((part, max(fill, -float(finfo(NUMPY[dtype]).max))))
    return True


def masked(v: View) -> tuple[View, View, float] | None:
    """The predicate, what it chooses and the number of where(p, x, number)."""
    if type(v.op) is not Select:
        return None
    p, x, y = v.operands()
    fill = number(y)
    return (p, x, fill) if fill is not None and is_float(y.value.type) else None


def conjuncts(p: View) -> Iterator[View]:
    """The predicates that must all hold; what a constant true or where(p, true, false) adds is nothing."""
    p = moved(p)
    if type(p.op) is And:
        for x in p.operands():
            yield from conjuncts(x)
    elif splat(p.value) not in (True, 1):
        yield p


def causal_query(p: View, key: Label) -> Label | None:
    """The dimension of which a predicate says that the position along `key` is at most that along it."""
    p = moved(p)
    negative = type(p.op) is Not
    if negative:
        p = moved(p.operands()[0])
    if type(p.op) is not Compare:
        return None
    x, y = (linear(v) for v in p.operands())
    kind = p.op.kind.data.name
    if negative:
        kind = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}.get(kind, kind)
    if x is None or y is None or kind not in ("lt", "le", "gt", "ge"):
        return None
    more, less = (x, y) if kind in ("gt", "ge") else (y, x)
    difference = {k: more.get(k, 0) - less.get(k, 0) for k in dict.fromkeys([*more, *less])}
    difference[None] = difference.get(None, 0) - int(kind in ("lt", "gt"))
    others = {k: v for k, v in difference.items() if v and k != key}
    return (
        next(iter(others))
        if difference.get(key) == -1 and list(others.values()) == [1] and None not in others
        else None
    )


def linear(v: View) -> Linear | None:
    """An integer as a sum of positions."""
    v = moved(v)
    c = splat(v.value)
    if width(v.dtype) < 32:
        return None  # may wrap
    if c is not None:
        return {None: int(c)} if c == int(c) else None
    match v.op:
        case Iota():
            return {v.labels[v.op.dim.value.data]: 1}
        case Convert():
            return linear(View(v.op.x, v.labels))
        case Add() | Sub():
            x, y = (linear(u) for u in v.operands())
            sign = 1 if type(v.op) is Add else -1
            if x is None or y is None:
                return None
            return {k: x.get(k, 0) + sign * y.get(k, 0) for k in dict.fromkeys([*x, *y])}
        case _:
            return None
