"""Arithmetic on elements: what commutes, associates and distributes, and functions that turn sums into products."""

from __future__ import annotations

from typing import Any

from .....dialects.nd.array import Array
from .....dialects.nd.functions import abs_, cos, exp, expm1, log, log1p, neg, rsqrt, sin, sqrt, tanh
from ..define import rule

Sides = tuple[Any, Any]

# Orders and groupings.


@rule("explore", "exact", x="...", y="...")
def add_commutes(x: Array, y: Array) -> Sides:
    """x + y -> y + x"""
    return x + y, y + x


@rule("explore", "exact", x="...", y="...")
def mul_commutes(x: Array, y: Array) -> Sides:
    """x * y -> y * x"""
    return x * y, y * x


@rule("explore", "exact", where="integer(T)", x="...", y="...", z="...")
def add_integers_associates(x: Array, y: Array, z: Array) -> Sides:
    """(x + y) + z -> x + (y + z) for integers"""
    return (x + y) + z, x + (y + z)


@rule("explore", "exact", where="integer(T)", x="...", y="...", z="...")
def mul_integers_associates(x: Array, y: Array, z: Array) -> Sides:
    """(x * y) * z -> x * (y * z) for integers"""
    return (x * y) * z, x * (y * z)


@rule("explore", "fast", where="float(T)", x="...", y="...", z="...")
def add_associates(x: Array, y: Array, z: Array) -> Sides:
    """(x + y) + z -> x + (y + z)"""
    return (x + y) + z, x + (y + z)


@rule("explore", "fast", where="float(T)", x="...", y="...", z="...")
def mul_associates(x: Array, y: Array, z: Array) -> Sides:
    """(x * y) * z -> x * (y * z)"""
    return (x * y) * z, x * (y * z)


# Distribution.


@rule("simplify", "ieee", x="...", y="...", z="...")
def factor_sum(x: Array, y: Array, z: Array) -> Sides:
    """x * z + y * z -> (x + y) * z"""
    return x * z + y * z, (x + y) * z


@rule("simplify", "ieee", x="...", y="...", z="...")
def factor_difference(x: Array, y: Array, z: Array) -> Sides:
    """x * z - y * z -> (x - y) * z"""
    return x * z - y * z, (x - y) * z


@rule("explore", "fast", x="...", y="...", z="...")
def distribute(x: Array, y: Array, z: Array) -> Sides:
    """(x + y) * z -> x * z + y * z"""
    return (x + y) * z, x * z + y * z


@rule("simplify", "ieee", where="float(T)", x="...", y="...", z="...")
def sum_of_quotients(x: Array, y: Array, z: Array) -> Sides:
    """x / z + y / z -> (x + y) / z"""
    return x / z + y / z, (x + y) / z


@rule("simplify", "exact", where="integer(T)", x="...", y="...")
def add_then_sub_integers(x: Array, y: Array) -> Sides:
    """(x + y) - y -> x for integers"""
    return (x + y) - y, x


@rule("simplify", "fast", where="float(T)", x="...", y="...")
def add_then_sub(x: Array, y: Array) -> Sides:
    """(x + y) - y -> x"""
    return (x + y) - y, x


@rule("simplify", "fast", x="...", y="...")
def sub_then_add(x: Array, y: Array) -> Sides:
    """(x - y) + y -> x"""
    return (x - y) + y, x


# Quotients.


@rule("explore", "fast", where="float(T)", x="...", y="...", z="...")
def quotient_of_quotient(x: Array, y: Array, z: Array) -> Sides:
    """(x / y) / z -> x / (y * z)"""
    return (x / y) / z, x / (y * z)


@rule("simplify", "fast", where="float(T)", x="...", y="...")
def mul_then_div(x: Array, y: Array) -> Sides:
    """(x * y) / y -> x where y is not 0"""
    return (x * y) / y, x


@rule("simplify", "ieee", where="float(T)", x="...")
def inverse_root(x: Array) -> Sides:
    """1 / sqrt(x) -> rsqrt(x)"""
    return 1.0 / sqrt(x), rsqrt(x)


@rule("explore", "ieee", where="float(T)", x="...", y="...")
def quotient_by_root(x: Array, y: Array) -> Sides:
    """x / sqrt(y) -> x * rsqrt(y)"""
    return x / sqrt(y), x * rsqrt(y)


# Functions that turn sums into products, and functions of signs.


@rule("simplify", "fast", where="float(T)", x="...", y="...")
def product_of_exponentials(x: Array, y: Array) -> Sides:
    """exp(x) * exp(y) -> exp(x + y)"""
    return exp(x) * exp(y), exp(x + y)


@rule("simplify", "fast", where="float(T)", x="...", y="...")
def quotient_of_exponentials(x: Array, y: Array) -> Sides:
    """exp(x) / exp(y) -> exp(x - y)"""
    return exp(x) / exp(y), exp(x - y)


@rule("simplify", "fast", where="float(T)", x="...", y="...")
def sum_of_logarithms(x: Array, y: Array) -> Sides:
    """log(x) + log(y) -> log(x * y)"""
    return log(x) + log(y), log(x * y)


@rule("simplify", "fast", where="float(T)", x="...", y="...")
def difference_of_logarithms(x: Array, y: Array) -> Sides:
    """log(x) - log(y) -> log(x / y)"""
    return log(x) - log(y), log(x / y)


@rule("simplify", "ieee", where="float(T)", x="...")
def exp_less_one(x: Array) -> Sides:
    """exp(x) - 1 -> expm1(x), which keeps the digits of small x"""
    return exp(x) - 1.0, expm1(x)


@rule("simplify", "ieee", where="float(T)", x="...")
def log_of_one_more(x: Array) -> Sides:
    """log(1 + x) -> log1p(x), which keeps the digits of small x"""
    return log(x + 1.0), log1p(x)


@rule("simplify", "ieee", where="float(T)", x="...")
def cos_of_neg(x: Array) -> Sides:
    """cos(-x) -> cos(x)"""
    return cos(neg(x)), cos(x)


@rule("explore", "ieee", where="float(T)", x="...")
def sin_of_neg(x: Array) -> Sides:
    """sin(-x) -> -sin(x)"""
    return sin(neg(x)), neg(sin(x))


@rule("explore", "ieee", where="float(T)", x="...")
def tanh_of_neg(x: Array) -> Sides:
    """tanh(-x) -> -tanh(x)"""
    return tanh(neg(x)), neg(tanh(x))


@rule("simplify", "exact", where="float(T)", x="...", y="...")
def product_of_magnitudes(x: Array, y: Array) -> Sides:
    """|x| * |y| -> |x * y|"""
    return abs_(x) * abs_(y), abs_(x * y)


@rule("simplify", "fast", where="float(T)", x="...")
def root_of_square(x: Array) -> Sides:
    """sqrt(x * x) -> |x|"""
    return sqrt(x * x), abs_(x)
