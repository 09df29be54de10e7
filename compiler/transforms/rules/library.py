"""The first rules: what is worth finding in programs as people write them."""

from __future__ import annotations

from typing import Any

from ....dialects.nd.array import Array
from ....dialects.nd.contraction import Contract
from ....dialects.nd.dimmap import parse
from ....dialects.nd.functions import concatenate, exp, log, log_softmax, softmax
from ....dialects.nd.mapped import text
from ....dialects.nd.op import bind
from ....dialects.nd.types import tensor
from .define import Rule, rule, sizes

Sides = tuple[Any, Any]


# Products that share an operand.


@rule("simplify", "ieee", where="static(p, q, r)", x="... n k", u="k p", v="k q", w="k r")
def merge_three_products(x: Array, u: Array, v: Array, w: Array) -> Sides:
    """x @ u, x @ v, x @ w -> x @ [u v w], cut in three: queries, keys and values"""
    p, q = u.shape[1], v.shape[1]
    y = x @ concatenate([u, v, w], 1)
    return (x @ u, x @ v, x @ w), (y[..., :p], y[..., p : p + q], y[..., p + q :])


@rule("simplify", "ieee", where="static(p, q)", x="... n k", u="k p", v="k q")
def merge_two_products(x: Array, u: Array, v: Array) -> Sides:
    """x @ u, x @ v -> x @ [u v], cut in two"""
    p = u.shape[1]
    y = x @ concatenate([u, v], 1)
    return (x @ u, x @ v), (y[..., :p], y[..., p:])


@rule("simplify", "fast", where="float(T)", x="... n k", u="k m", v="k m")
def add_products(x: Array, u: Array, v: Array) -> Sides:
    """x @ u + x @ v -> x @ (u + v)"""
    return x @ u + x @ v, x @ (u + v)


@rule("explore", "exact", x="n k", w="k m")
def transpose_of_product(x: Array, w: Array) -> Sides:
    """(x @ w).T -> w.T @ x.T"""
    return (x @ w).T, w.T @ x.T


# Scales move from results to weights, which are often constant.


@rule("simplify", "ieee", where="float(T)", x="... n k", w="k m", scale="m")
def scale_of_product(x: Array, w: Array, scale: Array) -> Sides:
    """(x @ w) * scale -> x @ (w * scale)"""
    return (x @ w) * scale, x @ (w * scale)


def conv2d(x: Array, w: Array) -> Array:
    """Any stride, dilation and padding: row and col are index functions."""
    map_ = "a row(b+e) col(c+f) d, e f d g -> a b c g"
    return bind(Contract, x, w, map=text(parse(map_)), shape=tensor(sizes("n p q o"), x.dtype))


@rule("simplify", "ieee", where="float(T)", x="n h w c", k="i j c o", scale="o", shift="o")
def scale_and_shift_of_convolution(x: Array, k: Array, scale: Array, shift: Array) -> Sides:
    """conv(x, k) * scale + shift -> conv(x, k * scale) + shift: a batch norm folded into the weights"""
    return conv2d(x, k) * scale + shift, conv2d(x, k * scale) + shift


# Composites found by their structure.


@rule("simplify", "ieee", where="float(T)", x="... n")
def find_softmax(x: Array) -> Sides:
    """exp(x) / sum(exp(x)) -> softmax(x), which does not overflow"""
    e = exp(x)
    return e / e.sum(-1, keepdims=True), softmax(x)


@rule("simplify", "ieee", where="float(T)", x="... n")
def find_log_softmax(x: Array) -> Sides:
    """x - log(sum(exp(x))) -> log_softmax(x)"""
    return x - log(exp(x).sum(-1, keepdims=True)), log_softmax(x)


LIBRARY: dict[str, Rule] = {r.name: r for r in list(globals().values()) if isinstance(r, Rule)}
"""Every rule, by name, in the order in which they are tried."""
