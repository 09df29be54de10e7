"""Composites, while they are whole, and conversions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from xdsl.dialects.builtin import f32, f64, i1, i32, i64
from xdsl.ir import Attribute

from ....dialects.nd.array import Array
from ....dialects.nd.attention import Attention, query
from ....dialects.nd.composite import LogSoftmax, Relu, Softmax
from ....dialects.nd.elementwise import Abs, Add, Div, Exp, Log, Sub
from ....dialects.nd.mapped import text
from ....dialects.nd.movement import Broadcast, Transpose
from ....dialects.nd.op import bind
from ....dialects.nd.reduction import Reduce
from ....dialects.nd.selection import Convert
from ....dialects.nd.types import element, shape_of
from ..rewriting import Table
from .patterns import A, defined, either, like, mul, splat

rules = Table()
on = rules.on


@on(Exp, level="ieee")
def exp_log_softmax(op: Any) -> Array | None:  # exp(log_softmax(x)) -> softmax(x)
    if s := defined(op.x, LogSoftmax):
        return bind(Softmax, A(s.x))


@on(Log, level="ieee")
def log_softmax(op: Any) -> Array | None:  # log(softmax(x)) -> log_softmax(x)
    if s := defined(op.x, Softmax):
        return bind(LogSoftmax, A(s.x))


@on(Softmax, LogSoftmax, level="ieee")
def softmax_shifted(op: Any) -> Array | None:  # softmax(x - s) -> softmax(x) where s is the same along the row
    for kind in (Sub, Add):
        shifted = defined(op.x, kind)
        if shifted is None:
            continue
        for x, s in ((shifted.x, shifted.y),) if kind is Sub else either(shifted):
            b = defined(s, Broadcast)
            if splat(s) is not None or (b and b.dims.result[-1] not in b.dims.operands[0]):
                return op.again([A(x)])


@on(Div, level="ieee")
def softmax_quotient(op: Any) -> Array | None:
    # e / sum(e) -> e * (1 / sum(e)) where e = exp(x - max(x)): the sum is at least 1
    spread_sum, e = defined(op.y, Broadcast), defined(op.x, Exp)
    shifted = e and defined(e.x, Sub)
    spread_max = shifted and defined(shifted.y, Broadcast)
    if not spread_sum or not spread_max or spread_sum.map != spread_max.map:
        return None
    total, top = defined(spread_sum.x, Reduce), defined(spread_max.x, Reduce)
    if not total or not top or (total.kind.data, top.kind.data) != ("sum", "max") or total.map != top.map:
        return None
    if total.x is not op.x or top.x is not shifted.x:
        return None
    return mul(op.x, spread_sum.again([bind(Div, like(1, total.result), A(total.result))]))


@on(Reduce, level="ieee")
def sum_softmax(op: Any) -> Array | None:  # sum(softmax(x)) -> 1 along its dimension
    if op.kind.data != "sum" or not defined(op.x, Softmax) or op.dims.result != op.dims.operands[0][:-1]:
        return None
    n = shape_of(op.x.type)[-1]
    if isinstance(n, int) and n > 0:
        return like(1, op.result)


@on(Transpose, level="exact")
def transpose_attention(op: Any) -> Array | None:
    # transpose(attention(q, k, v)) -> attention(q, k, v), written in that order, if values stay last
    a = defined(op.x, Attention)
    if a is None or not a.result.has_one_use():
        return None
    at = dict(zip(op.dims.operands[0], a.dims.result, strict=True))
    turned = replace(a.dims, result=tuple(at[i] for i in op.dims.result))
    if turned.result[-1] != a.dims.result[-1] or (a.causal is not None and query(turned) != query(a.dims)):
        return None
    return bind(Attention, *map(A, a.operands), **{**a.properties, "map": text(turned)})


@on(Relu, level="exact")
def relu_positive(op: Any) -> Array | None:  # relu(relu(x)) -> relu(x), also of exp, softmax, abs
    if any(defined(op.x, c) for c in (Relu, Exp, Softmax, Abs)):
        return A(op.x)


# Conversions.

KEEPS: dict[Attribute, tuple[Attribute, ...]] = {
    i1: (i32, i64, f32, f64),
    i32: (i64, f64),
    f32: (f64,),
}
"""The types that hold every value of a type, and back."""


@on(Convert, level="exact")
def convert_same(op: Any) -> Array | None:  # convert(x) -> x to the same type
    if op.x.type == op.result.type:
        return A(op.x)


@on(Convert, level="exact")
def convert_convert(op: Any) -> Array | None:  # convert(convert(x, U), T) -> convert(x, T) where U holds every x
    if (c := defined(op.x, Convert)) and c.to in KEEPS.get(element(c.x.type), ()):
        return A(c.x) if element(c.x.type) == op.to else bind(Convert, A(c.x), to=op.to)
