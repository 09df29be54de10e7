"""Transposes, reshapes, slices, pads, concatenations and reversals past ops on elements.

Where two movements become one the rule simplifies; where one stands on the other side of an op, which is better is for
a search to say: a slice is best early, a transpose where a contraction reads it.
"""

from __future__ import annotations

from typing import Any

from .....dialects.nd.array import Array
from .....dialects.nd.functions import concatenate, exp, flip, neg, pad, relu
from ..define import rule, sizes

Sides = tuple[Any, Any]

# Transposes.


@rule("simplify", "exact", x="n m", y="n m")
def add_transposes(x: Array, y: Array) -> Sides:
    """x.T + y.T -> (x + y).T"""
    return x.T + y.T, (x + y).T


@rule("simplify", "exact", x="n m", y="n m")
def mul_transposes(x: Array, y: Array) -> Sides:
    """x.T * y.T -> (x * y).T"""
    return x.T * y.T, (x * y).T


@rule("explore", "exact", x="n m", y="m n")
def add_to_transpose(x: Array, y: Array) -> Sides:
    """x.T + y -> (x + y.T).T"""
    return x.T + y, (x + y.T).T


@rule("explore", "exact", where="float(T)", x="n m")
def exp_of_transpose(x: Array) -> Sides:
    """exp(x.T) -> exp(x).T"""
    return exp(x.T), exp(x).T


@rule("explore", "exact", x="n m", y="m")
def scale_of_transpose(x: Array, y: Array) -> Sides:
    """x.T * column -> (x * row).T"""
    return x.T * y.reshape((*y.shape, 1)), (x * y).T


# Reshapes.


@rule("simplify", "exact", x="n m", y="n m")
def add_reshapes(x: Array, y: Array) -> Sides:
    """reshape(x) + reshape(y) -> reshape(x + y)"""
    n, m = x.shape
    return x.reshape(n * m) + y.reshape(n * m), (x + y).reshape(n * m)


@rule("simplify", "exact", x="n m", y="n m")
def mul_reshapes(x: Array, y: Array) -> Sides:
    """reshape(x) * reshape(y) -> reshape(x * y)"""
    n, m = x.shape
    return x.reshape(n * m) * y.reshape(n * m), (x * y).reshape(n * m)


@rule("explore", "exact", where="float(T)", x="n m")
def exp_of_reshape(x: Array) -> Sides:
    """exp(reshape(x)) -> reshape(exp(x))"""
    n, m = x.shape
    return exp(x.reshape(n * m)), exp(x).reshape(n * m)


# Slices.


@rule("explore", "exact", x="n k", y="n k")
def slice_of_sum(x: Array, y: Array) -> Sides:
    """(x + y)[s:] -> x[s:] + y[s:]"""
    s, p = sizes("s p")
    return (x + y)[:, s : s + p], x[:, s : s + p] + y[:, s : s + p]


@rule("explore", "exact", x="n k", y="n k")
def slice_of_elementwise_product(x: Array, y: Array) -> Sides:
    """(x * y)[s:] -> x[s:] * y[s:]"""
    s, p = sizes("s p")
    return (x * y)[:, s : s + p], x[:, s : s + p] * y[:, s : s + p]


@rule("explore", "exact", where="float(T)", x="n k")
def slice_of_exp(x: Array) -> Sides:
    """exp(x)[s:] -> exp(x[s:])"""
    s, p = sizes("s p")
    return exp(x)[:, s : s + p], exp(x[:, s : s + p])


# Pads.


@rule("simplify", "exact", x="n k", y="n k")
def add_pads(x: Array, y: Array) -> Sides:
    """pad(x, 0) + pad(y, 0) -> pad(x + y, 0)"""
    low, high = sizes("low high")
    width = [(0, 0), (low, high)]
    return pad(x, width) + pad(y, width), pad(x + y, width)


@rule("simplify", "exact", x="n k", y="n k")
def mul_pads(x: Array, y: Array) -> Sides:
    """pad(x, 0) * pad(y, 0) -> pad(x * y, 0)"""
    low, high = sizes("low high")
    width = [(0, 0), (low, high)]
    return pad(x, width) * pad(y, width), pad(x * y, width)


@rule("explore", "exact", x="n k")
def relu_of_pad(x: Array) -> Sides:
    """relu(pad(x, 0)) -> pad(relu(x), 0)"""
    low, high = sizes("low high")
    return relu(pad(x, [(0, 0), (low, high)])), pad(relu(x), [(0, 0), (low, high)])


@rule("explore", "ieee", x="n k")
def neg_of_pad(x: Array) -> Sides:
    """-pad(x, 0) -> pad(-x, 0)"""
    low, high = sizes("low high")
    return neg(pad(x, [(0, 0), (low, high)])), pad(neg(x), [(0, 0), (low, high)])


# Concatenations.


@rule("simplify", "exact", where="float(T)", x="p k", y="q k")
def concat_of_exps(x: Array, y: Array) -> Sides:
    """concat(exp(x), exp(y)) -> exp(concat(x, y))"""
    return concatenate([exp(x), exp(y)], 0), exp(concatenate([x, y], 0))


@rule("simplify", "exact", x="p k", y="q k")
def concat_of_relus(x: Array, y: Array) -> Sides:
    """concat(relu(x), relu(y)) -> relu(concat(x, y))"""
    return concatenate([relu(x), relu(y)], 0), relu(concatenate([x, y], 0))


@rule("explore", "exact", x="p k", y="q k", u="p k", v="q k")
def concat_of_sums(x: Array, y: Array, u: Array, v: Array) -> Sides:
    """concat(x + u, y + v) -> concat(x, y) + concat(u, v)"""
    return concatenate([x + u, y + v], 0), concatenate([x, y], 0) + concatenate([u, v], 0)


# Reversals.


@rule("simplify", "exact", x="n k", y="n k")
def add_reversals(x: Array, y: Array) -> Sides:
    """reverse(x) + reverse(y) -> reverse(x + y)"""
    return flip(x, 1) + flip(y, 1), flip(x + y, 1)
