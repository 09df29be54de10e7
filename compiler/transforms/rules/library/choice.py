"""Order, choice and logic: max, min, relu, select, and, or, not."""

from __future__ import annotations

from typing import Any

from .....dialects.nd.array import Array
from .....dialects.nd.functions import bitwise_and, bitwise_not, bitwise_or, maximum, minimum, neg, relu, select
from ..define import rule

Sides = tuple[Any, Any]

# Orders.


@rule("explore", "exact", x="...", y="...")
def max_commutes(x: Array, y: Array) -> Sides:
    """max(x, y) -> max(y, x)"""
    return maximum(x, y), maximum(y, x)


@rule("explore", "exact", x="...", y="...", z="...")
def max_associates(x: Array, y: Array, z: Array) -> Sides:
    """max(max(x, y), z) -> max(x, max(y, z))"""
    return maximum(maximum(x, y), z), maximum(x, maximum(y, z))


@rule("explore", "exact", x="...", y="...", z="...")
def min_associates(x: Array, y: Array, z: Array) -> Sides:
    """min(min(x, y), z) -> min(x, min(y, z))"""
    return minimum(minimum(x, y), z), minimum(x, minimum(y, z))


@rule("simplify", "ieee", x="...", y="...")
def max_of_min(x: Array, y: Array) -> Sides:
    """max(min(x, y), x) -> x"""
    return maximum(minimum(x, y), x), x


@rule("simplify", "ieee", x="...", y="...")
def min_of_max(x: Array, y: Array) -> Sides:
    """min(max(x, y), x) -> x"""
    return minimum(maximum(x, y), x), x


@rule("simplify", "exact", x="...", y="...", z="...")
def max_of_two_mins(x: Array, y: Array, z: Array) -> Sides:
    """max(min(x, z), min(y, z)) -> min(max(x, y), z)"""
    return maximum(minimum(x, z), minimum(y, z)), minimum(maximum(x, y), z)


@rule("simplify", "exact", where="float(T)", x="...", y="...")
def max_of_negs(x: Array, y: Array) -> Sides:
    """max(-x, -y) -> -min(x, y)"""
    return maximum(neg(x), neg(y)), neg(minimum(x, y))


@rule("simplify", "exact", where="float(T)", x="...", y="...")
def min_of_negs(x: Array, y: Array) -> Sides:
    """min(-x, -y) -> -max(x, y)"""
    return minimum(neg(x), neg(y)), neg(maximum(x, y))


@rule("simplify", "ieee", where="float(T)", x="...", y="...", z="...")
def max_of_sums(x: Array, y: Array, z: Array) -> Sides:
    """max(x + z, y + z) -> max(x, y) + z, since rounding keeps order"""
    return maximum(x + z, y + z), maximum(x, y) + z


@rule("simplify", "ieee", where="float(T)", x="...", y="...", z="...")
def min_of_sums(x: Array, y: Array, z: Array) -> Sides:
    """min(x + z, y + z) -> min(x, y) + z, since rounding keeps order"""
    return minimum(x + z, y + z), minimum(x, y) + z


@rule("simplify", "exact", x="...", y="...")
def max_of_relus(x: Array, y: Array) -> Sides:
    """max(relu(x), relu(y)) -> relu(max(x, y))"""
    return maximum(relu(x), relu(y)), relu(maximum(x, y))


# Choices.


@rule("simplify", "exact", p="... : i1", x="...", y="...", z="...")
def select_of_sums(p: Array, x: Array, y: Array, z: Array) -> Sides:
    """select(p, x + z, y + z) -> select(p, x, y) + z"""
    return select(p, x + z, y + z), select(p, x, y) + z


@rule("simplify", "exact", p="... : i1", x="...", y="...", z="...")
def select_of_products(p: Array, x: Array, y: Array, z: Array) -> Sides:
    """select(p, x * z, y * z) -> select(p, x, y) * z"""
    return select(p, x * z, y * z), select(p, x, y) * z


@rule("simplify", "exact", p="... : i1", x="...", y="...")
def select_of_negs(p: Array, x: Array, y: Array) -> Sides:
    """select(p, -x, -y) -> -select(p, x, y)"""
    return select(p, neg(x), neg(y)), neg(select(p, x, y))


# Logic.


@rule("simplify", "exact", p="... : i1", q="... : i1")
def and_of_nots(p: Array, q: Array) -> Sides:
    """~p & ~q -> ~(p | q) (De Morgan)"""
    return bitwise_and(bitwise_not(p), bitwise_not(q)), bitwise_not(bitwise_or(p, q))


@rule("simplify", "exact", p="... : i1", q="... : i1")
def or_of_nots(p: Array, q: Array) -> Sides:
    """~p | ~q -> ~(p & q) (De Morgan)"""
    return bitwise_or(bitwise_not(p), bitwise_not(q)), bitwise_not(bitwise_and(p, q))


@rule("simplify", "exact", where="integer(T)", x="...", y="...")
def and_of_or(x: Array, y: Array) -> Sides:
    """x & (x | y) -> x"""
    return bitwise_and(x, bitwise_or(x, y)), x


@rule("simplify", "exact", where="integer(T)", x="...", y="...", z="...")
def or_of_ands(x: Array, y: Array, z: Array) -> Sides:
    """(x & z) | (y & z) -> (x | y) & z"""
    return bitwise_or(bitwise_and(x, z), bitwise_and(y, z)), bitwise_and(bitwise_or(x, y), z)
