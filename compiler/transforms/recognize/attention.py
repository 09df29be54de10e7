"""Attention: softmax(scale * q k^T, masked) v, where the softmax is one op already.

    %0 = nd.contract %q, %k "b q h d, b k h d -> b h q k"
    %1 = nd.mul %0, %scale                                      nd.attention %q, %k, %v
    %2 = nd.select %causal, %1, %low                    ->      "b q h d, b k h d, b k h e -> b h q e" scale 0.1 causal
    %3 = nd.softmax %2                                          nd.transpose ... "b h q e -> b q h e"
    %4 = nd.contract %v, %3 "b k h e, b h q k -> b q h e"

The rule starts at the softmax and climbs to the product with the values, whose indices name all dimensions on the way
back: through movement, scales, masks and biases down to the product of queries and keys. A query without any key gives
0 then, where the text's softmax gives NaN (`masks.py` on numbers in place of -inf). The text may say so itself:

    select(all(scores == -inf), 0, softmax(scores))
"""

# Rules read the operands and properties of their op by name, so `op` is Any.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from math import inf
from typing import Any

from ....dialects.nd.composite import Softmax
from ....dialects.nd.contraction import Contract
from ....dialects.nd.elementwise import Add, Div, Mul, Not
from ....dialects.nd.reduction import Reduce
from ....dialects.nd.selection import Compare, Select
from ..rewriting import Answer, Table
from .attention_form import Form, attention_of
from .masks import add_mask, masked
from .views import (
    MOVING,
    Label,
    View,
    climb,
    into,
    moved,
    number,
    peel,
    same,
)

rules = Table()


@rules.on(Softmax, level="ieee")
def attention(op: Any) -> Answer:  # softmax(s * (q @ k.T), masked) @ v -> attention(q, k, v)
    return _attention(op, fast=False)


@rules.on(Softmax, level="fast")
def attention_of_low_scores(op: Any) -> Answer:  # the same where a number from -1e4 down stands for -inf
    return _attention(op, fast=True)


def _attention(op: Any, fast: bool) -> Answer:
    for root in climb(op.result, (Contract, Select, *MOVING)):
        if type(root) is not Contract:
            continue
        form = _form(root, op, fast)
        return None if form is None else attention_of(root, form)
    return None


def _form(root: Any, op: Any, fast: bool) -> Form | None:
    m = root.dims
    if len(m.operands) != 2 or any(i.name is None for d in m.operands for i in d):
        return None
    sides = [View(x, d) for x, d in zip(root.operands, m.operands, strict=True)]
    for weights, v in (sides, sides[::-1]):
        line = _line(weights, op)
        if line is None:
            continue
        key = line.labels[-1]
        scores = View(line.op.x, line.labels)
        if key not in v.labels or key in m.result:
            return None
        form = Form(v, key)
        return form if _scores(scores, form, 1.0, fast) else None
    return None


def _line(weights: View, op: Any) -> View | None:
    """The softmax of the weights, under the choice of 0 where no score is allowed."""
    chosen = into(weights, Select)
    if chosen is not None:
        nothing, zero, rest = chosen.operands()
        line = into(rest, Softmax)
        if line is None or number(zero) != 0 or not _nothing_allowed(nothing, View(line.op.x, line.labels)):
            return None
        weights = rest
    line = into(weights, Softmax)
    return line if line is not None and line.op is op else None


def _nothing_allowed(v: View, scores: View) -> bool:
    """not any(not (scores == -inf)), or all(scores == -inf)"""
    v, negated = moved(v), False
    while type(v.op) is Not:
        v, negated = moved(v.operands()[0]), not negated
    if type(v.op) is not Reduce or v.op.word != ("any" if negated else "all"):
        return False
    at = dict(zip(v.op.dims.result, v.labels, strict=True))
    inner = View(v.op.x, tuple(at.get(i, scores.labels[-1]) for i in v.op.dims.operands[0]))
    inner, unequal = moved(inner), False
    while type(inner.op) is Not:
        inner, unequal = moved(inner.operands()[0]), not unequal
    if type(inner.op) is not Compare:
        return False
    x, low = inner.operands()
    kind = "eq" if unequal == negated else "ne"
    return inner.op.kind.data.name == kind and number(low) == -inf and same(x, scores)


def _scores(v: View, form: Form, factor: float, fast: bool) -> bool:
    """Walk down to the product of queries and keys; `factor` is what has been multiplied with so far."""
    v = peel(v)
    match v.op:
        case Contract():
            return _product(v, form, factor)
        case Mul() | Div():
            return _scaled(v, form, factor, fast)
        case Select():
            found = masked(v)
            if found is None or factor <= 0:
                return False
            p, x, fill = found
            return add_mask(form.masks, p, fill * factor, v.dtype, form.key, fast) and _scores(x, form, factor, fast)
        case Add():
            x, y = v.operands()
            for s, bias in ((x, y), (y, x)):
                if _reaches(s):
                    return _biased(bias, form, factor, fast) and _scores(s, form, factor, fast)
            return False
        case _:
            return False


def _scaled(v: View, form: Form, factor: float, fast: bool) -> bool:
    x, y = v.operands()
    if type(v.op) is Div:
        c = number(y)
        return c is not None and c != 0 and _scores(x, form, factor / c, fast)
    for s, c in ((x, number(y)), (y, number(x))):
        if c is not None:
            return _scores(s, form, factor * c, fast)
    return False


def _reaches(v: View, depth: int = 6) -> bool:
    """Is a value scores, masked or not: a product under scales, masks and biases?"""
    v = peel(v)
    if type(v.op) is Contract:
        return True
    return depth > 0 and type(v.op) in (Add, Div, Mul, Select) and any(_reaches(x, depth - 1) for x in v.operands())


def _biased(bias: View, form: Form, factor: float, fast: bool) -> bool:
    found = masked(peel(bias))
    if found is not None and factor > 0 and number(found[1]) == 0:
        p, _, fill = found
        if fill == -inf and add_mask(form.masks, p, fill, bias.dtype, form.key, fast):
            return True
    form.masks.biases.append((bias, factor))
    return True


def _product(v: View, form: Form, factor: float) -> bool:
    """The product of queries and keys, each perhaps scaled by a number."""
    m = v.op.dims
    if len(m.operands) != 2 or any(i.name is None for d in m.operands for i in d):
        return False
    at: dict[Any, Label] = dict(zip(m.result, v.labels, strict=True))
    sides = [
        _unscaled(View(x, tuple(at.get(i, ("feature", i.name)) for i in d)))
        for x, d in zip(v.op.operands, m.operands, strict=True)
    ]
    form.scale = factor * sides[0][1] * sides[1][1]
    (form.q, _), (form.k, _) = sides if form.key in sides[1][0].labels else sides[::-1]
    return form.key in form.k.labels and form.key not in form.q.labels


def _unscaled(v: View) -> tuple[View, float]:
    """A value and the number that it is multiplied with."""
    scaled = into(v, Mul, Div)
    if scaled is None:
        return v, 1.0
    x, y = scaled.operands()
    if (c := number(y)) is not None and c != 0:
        inner, factor = _unscaled(x)
        return inner, (factor / c if type(scaled.op) is Div else factor * c)
    if type(scaled.op) is Mul and (c := number(x)) is not None:
        inner, factor = _unscaled(y)
        return inner, factor * c
    return v, 1.0
