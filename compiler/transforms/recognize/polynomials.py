"""Values as polynomials in others: how often texts write one function in different words does not matter then.

    0.5 * x * (1 + t),  x * (0.5 * t + 0.5),  (x + x * t) / 2        {x: 0.5, x t: 0.5}
    c * (x + 0.044715 * x ** 3),  c * x * (1 + 0.044715 * x * x)     {x: c, x^3: 0.044715 c}

A polynomial is a table from exponents, one for each variable, to coefficients.
"""

# Rules read the operands and properties of their op by name, so ops are Any.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xdsl.ir import Attribute

from ....dialects.nd.elementwise import Add, Div, Mul, Neg, Pow, Sub
from ....dialects.nd.types import NUMPY, finfo
from .views import View, number, peel, same

Exponents = tuple[int, ...]
Polynomial = dict[Exponents, float]
DEGREE = 3
DEPTH = 8
ARITHMETIC = (Add, Div, Mul, Neg, Pow, Sub)


def polynomial(v: View, variables: Sequence[View], depth: int = DEPTH) -> Polynomial | None:
    """A value as a polynomial of at most the third degree in each variable; None if it is none."""
    v = peel(v)
    for k, x in enumerate(variables):
        if same(v, x):
            return {tuple(int(k == j) for j in range(len(variables))): 1.0}
    none = (0,) * len(variables)
    if (c := number(v)) is not None:
        return {none: c}
    if depth == 0 or type(v.op) not in ARITHMETIC:
        return None
    xs = v.operands()
    if type(v.op) is Pow:
        return _power(polynomial(xs[0], variables, depth - 1), number(xs[1]))
    parts = [polynomial(x, variables, depth - 1) for x in xs]
    p, q = parts[0], parts[-1]
    if p is None or q is None:
        return None
    match v.op:
        case Neg():
            return _scaled(p, -1)
        case Add():
            return _sum(p, q)
        case Sub():
            return _sum(p, _scaled(q, -1))
        case Mul():
            return product(p, q)
        case _:
            return _scaled(p, 1 / q[none]) if set(q) == {none} and q[none] else None


def _power(p: Polynomial | None, n: float | None) -> Polynomial | None:
    if p is None or n not in (2, 3):
        return None
    square = product(p, p)
    return square if n == 2 or square is None else product(square, p)


def _scaled(p: Polynomial, c: float) -> Polynomial:
    return {k: c * v for k, v in p.items()}


def _sum(p: Polynomial, q: Polynomial) -> Polynomial:
    return {k: p.get(k, 0.0) + q.get(k, 0.0) for k in dict.fromkeys([*p, *q])}


def product(p: Polynomial, q: Polynomial) -> Polynomial | None:
    out: Polynomial = {}
    for a, x in p.items():
        for b, y in q.items():
            k = tuple(i + j for i, j in zip(a, b, strict=True))
            if max(k, default=0) > DEGREE:
                return None
            out[k] = out.get(k, 0.0) + x * y
    return out


def near(c: float, want: float, dtype: Attribute) -> bool:
    """Is c a number as texts write it, rounded to the element type, once or twice?"""
    return abs(c - want) <= float(finfo(NUMPY[dtype]).eps) * abs(want)


def shortest(c: float, dtype: Attribute) -> float:
    """The shortest decimal that rounds to a number of the element type."""
    return float(str(NUMPY[dtype].type(c)))


def equals(p: Polynomial | None, want: Mapping[Exponents, float], dtype: Attribute) -> bool:
    """Has the polynomial these coefficients, rounded to the element type, and no others?"""
    return p is not None and all(near(p.get(k, 0.0), want.get(k, 0.0), dtype) for k in dict.fromkeys([*p, *want]))


def variable(v: View, want: Mapping[Exponents, float]) -> View | None:
    """The x of which a value is the wanted polynomial."""
    for x in _inner(v, 4):
        if equals(polynomial(v, [x]), want, v.dtype):
            return x
    return None


def _inner(v: View, depth: int) -> Iterator[View]:
    """What a value is computed from by arithmetic, numbers aside."""
    if number(v) is not None:
        return
    yield v
    v = peel(v)
    if depth and type(v.op) in ARITHMETIC:
        for x in v.operands():
            yield from _inner(x, depth - 1)
