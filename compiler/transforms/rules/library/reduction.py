"""Sums, maxima and minima: what may be reduced before something else, after it, or together."""

from __future__ import annotations

from typing import Any

from .....dialects.nd.array import Array
from .....dialects.nd.functions import (
    all_,
    any_,
    bitwise_and,
    bitwise_or,
    concatenate,
    exp,
    flip,
    maximum,
    minimum,
    neg,
    pad,
)
from ..define import rule, sizes

Sides = tuple[Any, Any]

# Of movements.


@rule("simplify", "ieee", x="n m")
def sum_of_reversed(x: Array) -> Sides:
    """sum(reverse(x)) -> sum(x) along what is reversed"""
    return flip(x, 1).sum(1), x.sum(1)


@rule("simplify", "exact", x="n m")
def max_of_reversed(x: Array) -> Sides:
    """max(reverse(x)) -> max(x) along what is reversed"""
    return flip(x, 1).max(1), x.max(1)


@rule("simplify", "ieee", x="n m")
def sum_of_reshaped(x: Array) -> Sides:
    """sum(reshape(x)) -> sum(x) of everything"""
    n, m = x.shape
    return x.reshape(n * m).sum(), x.sum()


@rule("simplify", "exact", x="n m")
def max_of_reshaped(x: Array) -> Sides:
    """max(reshape(x)) -> max(x) of everything"""
    n, m = x.shape
    return x.reshape(n * m).max(), x.max()


@rule("simplify", "ieee", x="n m")
def sum_of_padded(x: Array) -> Sides:
    """sum(pad(x, 0)) -> sum(x)"""
    low, high = sizes("low high")
    return pad(x, [(0, 0), (low, high)]).sum(1), x.sum(1)


@rule("explore", "ieee", x="n p", y="n q")
def sum_of_concat(x: Array, y: Array) -> Sides:
    """sum(concat(x, y)) -> sum(x) + sum(y)"""
    return concatenate([x, y], 1).sum(1), x.sum(1) + y.sum(1)


@rule("explore", "exact", x="n p", y="n q")
def max_of_concat(x: Array, y: Array) -> Sides:
    """max(concat(x, y)) -> max(max(x), max(y))"""
    return concatenate([x, y], 1).max(1), maximum(x.max(1), y.max(1))


# Of elementwise ops.


@rule("simplify", "fast", x="... n", y="... n")
def sum_of_sums(x: Array, y: Array) -> Sides:
    """sum(x) + sum(y) -> sum(x + y)"""
    return x.sum(-1) + y.sum(-1), (x + y).sum(-1)


@rule("simplify", "exact", x="... n", y="... n")
def max_of_maxima(x: Array, y: Array) -> Sides:
    """max(max(x), max(y)) -> max(elementwise max(x, y)) where both are reduced"""
    return maximum(x.max(-1), y.max(-1)), maximum(x, y).max(-1)


@rule("simplify", "exact", x="... n", y="... n")
def min_of_minima(x: Array, y: Array) -> Sides:
    """min(min(x), min(y)) -> min(elementwise min(x, y)) where both are reduced"""
    return minimum(x.min(-1), y.min(-1)), minimum(x, y).min(-1)


@rule("explore", "exact", where="float(T)", x="... n")
def max_of_neg(x: Array) -> Sides:
    """max(-x) -> -min(x)"""
    return neg(x).max(-1), neg(x.min(-1))


@rule("explore", "ieee", where="float(T), at_most(1, n)", x="... n")
def max_of_exp(x: Array) -> Sides:
    """max(exp(x)) -> exp(max(x)): one exponential for each maximum"""
    return exp(x).max(-1), exp(x.max(-1))


@rule("simplify", "ieee", where="float(T)", x="... n", y="...")
def max_of_shifted(x: Array, y: Array) -> Sides:
    """max(x + broadcast(y)) -> max(x) + y, since rounding keeps order"""
    return (x + y.reshape((*y.shape, 1))).max(-1), x.max(-1) + y


@rule("simplify", "ieee", where="float(T)", x="n m", y="n")
def sum_of_quotients_by_rows(x: Array, y: Array) -> Sides:
    """sum(x / broadcast(y)) -> sum(x) / y where y does not have what is summed"""
    return (x / y.reshape((*y.shape, 1))).sum(1), x.sum(1) / y


@rule("simplify", "exact", p="... n : i1", q="... n : i1")
def and_of_alls(p: Array, q: Array) -> Sides:
    """all(p) & all(q) -> all(p & q)"""
    return bitwise_and(all_(p, -1), all_(q, -1)), all_(bitwise_and(p, q), -1)


@rule("simplify", "exact", p="... n : i1", q="... n : i1")
def or_of_anys(p: Array, q: Array) -> Sides:
    """any(p) | any(q) -> any(p | q)"""
    return bitwise_or(any_(p, -1), any_(q, -1)), any_(bitwise_or(p, q), -1)
