"""Rules of kind explore for tests of the search: equalities that lead nowhere by themselves."""

from __future__ import annotations

from typing import Any

from mlc.compiler.transforms.rules.define import Rule, rule
from mlc.dialects.nd.array import Array

Sides = tuple[Any, Any]


@rule("explore", "fast", where="float(T)", a="m k", b="k l", c="l n")
def chain_right(a: Array, b: Array, c: Array) -> Sides:
    """(a @ b) @ c -> a @ (b @ c)"""
    return (a @ b) @ c, a @ (b @ c)


@rule("explore", "fast", where="float(T)", a="m k", b="k l", c="l n")
def chain_left(a: Array, b: Array, c: Array) -> Sides:
    """a @ (b @ c) -> (a @ b) @ c"""
    return a @ (b @ c), (a @ b) @ c


@rule("explore", "fast", where="float(T)", a="... n", b="... n", c="... n")
def sum_right(a: Array, b: Array, c: Array) -> Sides:
    """(a + b) + c -> a + (b + c)"""
    return (a + b) + c, a + (b + c)


@rule("explore", "fast", where="float(T)", a="... n", b="... n", c="... n")
def factor(a: Array, b: Array, c: Array) -> Sides:
    """a * b + a * c -> a * (b + c)"""
    return a * b + a * c, a * (b + c)


@rule("explore", "fast", where="float(T)", x="n k", u="k m", v="k m")
def add_transposed_products(x: Array, u: Array, v: Array) -> Sides:
    """(x @ u).T + (x @ v).T -> (x @ (u + v)).T"""
    return (x @ u).T + (x @ v).T, (x @ (u + v)).T


@rule("explore", "exact", x="n k", w="k m")
def transpose_of_product_back(x: Array, w: Array) -> Sides:
    """w.T @ x.T -> (x @ w).T"""
    return w.T @ x.T, (x @ w).T


RULES: list[Rule] = [r for r in list(globals().values()) if isinstance(r, Rule)]
