"""Softmax and its logarithm, along any dimension.

    e = exp(x - max(x)):   e / sum(e),  e * (1 / sum(e))               nd.softmax
                           (e @ v) * (1 / sum(e))                      softmax(x) @ v
    z = x - max(x):        z - log(sum(exp(z))),  x - (log(sum(exp(z))) + max(x))      nd.log_softmax

The sum may be of wider elements than e, and a largest value that is not finite may be replaced by 0.
"""

# Rules read the operands and properties of their op by name, so `op` is Any.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

from xdsl.ir import Operation, SSAValue

from ....dialects.nd.array import Array
from ....dialects.nd.composite import LogSoftmax, Softmax
from ....dialects.nd.contraction import Contract
from ....dialects.nd.elementwise import Abs, Add, Div, Exp, Log, Mul, Sub
from ....dialects.nd.op import bind
from ....dialects.nd.reduction import Reduce
from ....dialects.nd.selection import Compare, Select
from ..rewriting import Answer, Replacement, Table
from .views import (
    MOVING,
    Label,
    View,
    alone,
    arranged,
    as_type,
    climb,
    converted,
    fits,
    into,
    number,
    peel,
    same,
    summed,
    unify,
    view,
    widest,
)

rules = Table()


@rules.on(Exp, level="ieee")
def softmax(op: Any) -> Answer:  # e / sum(e) where e = exp(x - max(x)) -> softmax(x); also its logarithm
    if into(view(op.x), Sub) is None:
        return None
    for total in _sums(op.result):
        for root in climb(total, (Add, Div, Log, Mul, Sub, *MOVING)):
            answer = _root(root, op)
            if answer is not None:
                return answer
    return None


def _sums(v: SSAValue, depth: int = 3) -> Iterator[SSAValue]:
    """The sums of a value, moved and converted or not."""
    for use in v.uses:
        if type(use.operation) is Reduce and use.operation.word == "sum":
            yield use.operation.results[0]
        elif type(use.operation) in MOVING and depth:
            yield from _sums(use.operation.results[0], depth - 1)


def _root(root: Operation, e: Any) -> Answer:
    match root:
        case Div():
            x, total = (View(v, view(root.results[0]).labels) for v in root.operands)
            return None if number(x) is not None else _quotient(root, x, total, e)
        case Mul():
            out = view(root.results[0])
            for k in (0, 1):
                inverse = into(View(root.operands[k], out.labels), Div)
                if inverse is not None and number(inverse.operands()[0]) == 1:
                    return _quotient(root, View(root.operands[1 - k], out.labels), inverse.operands()[1], e)
        case Sub():
            return _logarithm(root, e)
        case _:
            pass
    return None


@dataclass(frozen=True)
class Line:
    """x - max(x) of a pattern, and the dimension that the maximum is over."""

    x: View
    over: Label


def _line(z: View | None) -> Line | None:
    """The line of a value that is x less the largest along one dimension."""
    z = into(z, Sub) if z else None
    if z is None:
        return None
    x, top = z.operands()
    found = summed(_finite(top), "max")
    bound = unify(found, x) if found else None
    return Line(x, next(iter(bound.values()))) if bound and len(bound) == 1 else None


def _finite(top: View) -> View:
    """t of where(|t| < inf, t, 0) and of where(|t| == inf, 0, t)."""
    chosen = into(top, Select)
    if chosen is None:
        return top
    test, a, b = chosen.operands()
    compare = into(test, Compare)
    if compare is None:
        return top
    kept, other = (a, b) if compare.op.kind.data.name == "lt" else (b, a)
    left, right = compare.operands()
    size = into(left, Abs)
    known = compare.op.kind.data.name in ("lt", "eq") and number(right) == inf and number(other) == 0
    return kept if known and size is not None and same(size.operands()[0], kept) else top


def _exponential(v: View, e: Any) -> View | None:
    """v as the exponential that the rule started from."""
    found = into(v, Exp)
    return found if found is not None and found.op is e else None


def _total(total: View, e: View, line: Line) -> bool:
    """Is a value the sum of e along the line?"""
    terms = summed(total, "sum")
    bound = unify(terms, e) if terms else None
    return bound is not None and list(bound.values()) == [line.over]


def _quotient(root: Operation, x: View, total: View, op: Any) -> Answer:
    """x / total for the root, where x is e or a product of it."""
    product = into(x, Contract)
    if product is not None:
        return _product(root, product, total, op)
    e = _exponential(x, op)
    line = _line(e.operands()[0]) if e else None
    return _normalised(root, line, Softmax) if e and line and _total(total, e, line) else None


def _logarithm(root: Operation, op: Any) -> Answer:
    """z - log(sum(exp(z))), or x - (log(sum(exp(z))) + max(x))."""
    x, logarithm = (View(v, view(root.results[0]).labels) for v in root.operands)
    line = _line(x)
    total = into(logarithm, Log)
    if total is None and (parts := into(logarithm, Add)) is not None:
        a, b = parts.operands()
        total, top = (into(a, Log), b) if into(a, Log) else (into(b, Log), a)
        largest = summed(_finite(top), "max")
        bound = unify(largest, x) if largest else None
        line = Line(x, next(iter(bound.values()))) if bound and len(bound) == 1 else None
    if line is None or total is None:
        return None
    terms = summed(total.operands()[0], "sum")
    e = View(op.result, terms.labels) if terms and peel(terms).value is op.result else None
    if terms is None or e is None:
        return None
    inner = _line(View(op.x, peel(terms).labels))
    bound = unify(inner.x, line.x) if inner else None
    if bound is None or inner is None or list(bound.values()) != [line.over] or bound.get(inner.over) != line.over:
        return None
    return _normalised(root, line, LogSoftmax)


def _normalised(root: Operation, line: Line, to: type[Softmax] | type[LogSoftmax]) -> Answer:
    """The op along the line for the root, whose dimensions are labelled by their places."""
    out = view(root.results[0])
    if not _fits(line, out) or not alone(root, [line.x.value, peel(line.x).value]):
        return None
    return Replacement([out.value], [_bound(line, out, to)], root)


def _fits(line: Line, out: View) -> bool:
    return widest([line.x], out.dtype) is not None and fits(line.x, out.labels, out.shape) and line.over in out.labels


def _bound(line: Line, out: View, to: type[Softmax] | type[LogSoftmax]) -> Array:
    """to(x), where the op is along the last dimension, with the dimensions and the type of `out`."""
    dtype = widest([line.x], out.dtype)
    assert dtype is not None
    order = [*(i for i in out.labels if i != line.over), line.over]
    sizes = dict(zip(out.labels, out.shape, strict=True))
    shape = [sizes[i] for i in order]
    x = converted(arranged(as_type(line.x, dtype), order, shape), dtype)
    y = converted(bind(to, x), out.dtype)
    return arranged(View(y.value, tuple(order)), out.labels, out.shape)


def _product(root: Operation, product: View, total: View, op: Any) -> Answer:
    """(e @ v) / total -> softmax(x) @ v, where the line is summed in the product."""
    m = product.op.dims
    at = dict(zip(m.result, product.labels, strict=True))
    for k, v in enumerate(product.op.operands):
        dims = m.operands[k]
        if any(i.name is None for d in m.operands for i in d):
            return None
        e = _exponential(View(v, tuple(at.get(i, i) for i in dims)), op)
        line = _line(e.operands()[0]) if e else None
        if e is None or line is None or line.over in at.values() or not _total(total, e, line):
            continue
        out, own = view(root.results[0]), View(v, tuple(at.get(i, i) for i in dims))
        whole = product.dtype == out.dtype and fits(product, out.labels, out.shape)
        leaves = [line.x.value, peel(line.x).value, *(w for w in product.op.operands if w is not v)]
        if not whole or not _fits(line, own) or not alone(root, leaves):
            return None
        weights = _bound(line, own, Softmax)
        y = product.op.again([weights if j == k else Array(w) for j, w in enumerate(product.op.operands)])
        return Replacement([out.value], [arranged(View(y.value, product.labels), out.labels, out.shape)], root)
    return None
