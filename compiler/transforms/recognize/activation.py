"""Activations: gelu, sigmoid, silu and softplus from exponentials, erf and tanh.

    x * 0.5 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 * x ** 3)))      nd.gelu
    x * 0.5 * (1 + erf(x / sqrt(2)))                                nd.gelu_erf
    1 / (1 + exp(-x))                                               nd.sigmoid
    x * sigmoid(x),  x / (1 + exp(-x))                              nd.silu
    log1p(exp(x)),  max(x, 0) + log1p(exp(-|x|))                    nd.logaddexp of x and 0

Each rule starts at the function, whose argument tells x, and climbs to the first reader that is the form of x.
"""

# Rules read the operands and properties of their op by name, so `op` is Any.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from typing import Any

from xdsl.ir import Operation

from ....dialects.nd.activation import ROOT_HALF, GeluErf, LogAddExp, Sigmoid, Silu
from ....dialects.nd.array import Array
from ....dialects.nd.composite import ROOT_2_OVER_PI, Gelu
from ....dialects.nd.elementwise import Abs, Add, Div, Exp, Log, Max, Mul, Neg, Sub, Tanh, Unary
from ....dialects.nd.op import bind
from ....dialects.nd.selection import Compare, Select
from ....dialects.nd.special import Erfc
from ....dialects.nd.transcendental import Erf, Log1p
from ..rewriting import Answer, Replacement, Table
from ..simplify.patterns import like
from .polynomials import equals, polynomial, variable
from .views import (
    MOVING,
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
    view,
    widest,
)

rules = Table()
stable = Table()
"""Forms that are less exact than the op, and faster: they overflow where the op takes more steps."""

GELU = {(1,): ROOT_2_OVER_PI, (3,): ROOT_2_OVER_PI * 0.044715}
HALVES = {(1, 0): 0.5, (1, 1): 0.5}


@rules.on(Tanh, level="ieee")
def gelu(op: Any) -> Answer:  # x/2 * (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) -> gelu(x)
    return _of_function(op, GELU, HALVES, Gelu)


@rules.on(Erf, level="ieee")
def gelu_erf(op: Any) -> Answer:  # x/2 * (1 + erf(x / sqrt(2))) -> gelu_erf(x)
    return _of_function(op, {(1,): ROOT_HALF}, HALVES, GeluErf)


@rules.on(Erfc, level="fast")
def gelu_erfc(op: Any) -> Answer:  # x/2 * erfc(-x / sqrt(2)) -> gelu_erf(x), whose results near 0 are less exact
    return _of_function(op, {(1,): -ROOT_HALF}, {(1, 1): 0.5}, GeluErf)


def _of_function(op: Any, argument: Any, form: Any, to: type[Unary]) -> Answer:
    """f(u) -> to(x), where u is one polynomial in x and the form another in x and f(u)."""
    x = variable(view(op.x), argument)
    if x is None:
        return None
    for root in climb(op.result, (Add, Sub, Mul, Div, Neg, *MOVING)):
        at = _placed(op, root) if type(root) in (Mul, Div) else None
        out = view(root.results[0])
        if at is not None and equals(polynomial(out, [View(x.value, at), View(op.result, at)]), form, out.dtype):
            return unary(root, View(x.value, at), to)
    return None


def _placed(op: Operation, root: Operation) -> tuple[Any, ...] | None:
    """The labels of the op's dimensions among those of the root, if they are the same dimensions in the same order."""
    own, out = view(op.results[0]), view(root.results[0])
    return out.labels if own.shape == out.shape else None


def unary(root: Operation, x: View, to: type[Unary]) -> Answer:
    """to(x) for the root, if nobody reads what is inside."""
    out = view(root.results[0])
    dtype = widest([x], out.dtype)
    if dtype is None or not fits(x, out.labels, out.shape) or not alone(root, [x.value, peel(x).value]):
        return None
    arg = converted(arranged(as_type(x, dtype), out.labels, out.shape), dtype)
    return Replacement([out.value], [converted(bind(to, arg), out.dtype)], root)


@stable.on(Exp, level="ieee")
def sigmoid(op: Any) -> Answer:
    # 1 / (1 + exp(-x)) -> sigmoid(x);  x / (1 + exp(-x)) -> silu(x);  exp(x) / (1 + exp(x)) -> sigmoid(x)
    for root in climb(op.result, (Add, Div, *MOVING)):
        if type(root) is Div and (at := _placed(op, root)) is not None:
            e, top = View(op.result, at), View(root.operands[0], at)
            if not equals(polynomial(View(root.operands[1], at), [e]), {(0,): 1.0, (1,): 1.0}, e.dtype):
                return None
            n = into(View(op.x, at), Neg)
            if n is None:
                return None
            x = View(n.op.x, n.labels)
            if number(top) == 1:
                return unary(root, x, Sigmoid)
            return unary(root, x, Silu) if same(top, x) else None
    return None


@stable.on(Sigmoid, level="ieee")
def silu(op: Any) -> Answer:  # x * sigmoid(x) -> silu(x)
    for root in climb(op.result, (Mul, *MOVING)):
        if type(root) is Mul and (at := _placed(op, root)) is not None:
            x = View(op.x, at)
            for a, b in ((0, 1), (1, 0)):
                sides = View(root.operands[a], at), View(root.operands[b], at)
                if same(sides[0], View(op.result, at)) and same(sides[1], x):
                    return unary(root, x, Silu)
            return None
    return None


@stable.on(Log1p, Log, level="ieee")
def softplus(op: Any) -> Answer:
    # log1p(exp(x)) -> logaddexp(x, 0);  also where(x > 20, x, it), and max(x, 0) + log1p(exp(-|x|)) with its guard
    e = into(view(op.x), Exp) if type(op) is Log1p else _one_more(view(op.x))
    if e is None or e.shape != view(op.x).shape:
        return None
    inner = View(e.op.x, e.labels)
    negated = into(inner, Neg)
    size = into(View(negated.op.x, negated.labels), Abs) if negated else None
    if size is None:
        return _softplus(_chosen(op, inner), inner)
    x = View(size.op.x, size.labels)
    for root in climb(op.result, (Add,)):
        for k in (0, 1):
            top = into(View(root.operands[k], x.labels), Max)
            if top is not None and any(same(a, x) and number(b) == 0 for a, b in _orders(top)):
                return _softplus(_guarded(root, x), x)
    return None


def _one_more(v: View) -> View | None:
    """exp(x) of 1 + exp(x)."""
    total = into(v, Add)
    for a, b in _orders(total) if total else ():
        if number(a) == 1 and (e := into(b, Exp)):
            return e
    return None


def _orders(v: View) -> tuple[tuple[View, View], tuple[View, View]]:
    x, y = v.operands()
    return (x, y), (y, x)


def _chosen(op: Operation, x: View) -> Operation:
    """where(x > c, x, log1p(exp(x))) for a c from which on they are equal; else the op itself."""
    for root in climb(op.results[0], (Select,)):
        _, a, b = (View(v, x.labels) for v in root.operands)
        test = into(View(root.operands[0], x.labels), Compare)
        if test is None or b.value is not op.results[0] or not same(a, x):
            continue
        left, right = test.operands()
        limit = number(right)
        if test.op.kind.data.name in ("gt", "ge") and same(left, x) and limit is not None and limit >= 17:
            return root
    return op


def _guarded(op: Operation, x: View) -> Operation:
    """where(x != x, x + 0, sum): NaN stays NaN anyway."""
    for root in climb(op.results[0], (Select,)):
        test = into(View(root.operands[0], x.labels), Compare)
        kept = polynomial(View(root.operands[1], x.labels), [x])
        odd = test is not None and test.op.kind.data.name == "ne" and all(same(v, x) for v in test.operands())
        if odd and root.operands[2] is op.results[0] and equals(kept, {(1,): 1.0}, x.dtype):
            return root
    return op


def _softplus(root: Operation, x: View) -> Answer:
    """logaddexp(x, 0) for the root."""
    if not alone(root, [x.value, peel(x).value]) or root.results[0].type != x.value.type:
        return None
    y = bind(LogAddExp, Array(x.value), like(0, x.value))
    return Replacement([root.results[0]], [y], root)
