"""Several products or convolutions as one: of one input, with one set of weights, or added up.

One product of joined weights reads its input once and has longer rows; if the weights are constant they are joined when
the program is compiled. Sizes must be numbers, since the parts are cut out of the whole.
"""

from __future__ import annotations

from typing import Any

from .....dialects.nd.array import Array
from .....dialects.nd.functions import concatenate
from ..define import rule
from .contraction import conv2d

Sides = tuple[Any, Any]

# Of one input.


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


@rule("simplify", "ieee", where="static(p, q)", x="b n k", u="b k p", v="b k q")
def merge_two_batched_products(x: Array, u: Array, v: Array) -> Sides:
    """x @ u, x @ v -> x @ [u v], cut in two, for each matrix of a batch: grouped heads"""
    p = u.shape[2]
    y = x @ concatenate([u, v], 2)
    return (x @ u, x @ v), (y[..., :p], y[..., p:])


@rule("simplify", "ieee", where="static(o, r)", x="n h w c", k="i j c o", l="i j c r")
def merge_two_convolutions(x: Array, k: Array, l: Array) -> Sides:  # noqa: E741
    """conv(x, k), conv(x, l) -> conv(x, [k l]), cut in two along the channels"""
    o = k.shape[3]
    y = conv2d(x, concatenate([k, l], 3), "n p q o+r")
    return (conv2d(x, k), conv2d(x, l, "n p q r")), (y[..., :o], y[..., o:])


# With one set of weights.


@rule("simplify", "ieee", where="static(n, m)", x="n k", y="m k", w="k p")
def merge_rows(x: Array, y: Array, w: Array) -> Sides:
    """x @ w, y @ w -> [x; y] @ w, cut in two"""
    n = x.shape[0]
    z = concatenate([x, y], 0) @ w
    return (x @ w, y @ w), (z[:n], z[n:])


@rule("simplify", "ieee", x="n k", y="m k", w="k p")
def concat_of_products(x: Array, y: Array, w: Array) -> Sides:
    """concat(x @ w, y @ w) -> concat(x, y) @ w"""
    return concatenate([x @ w, y @ w], 0), concatenate([x, y], 0) @ w


@rule("simplify", "ieee", x="... n k", u="k p", v="k q")
def concat_of_columns(x: Array, u: Array, v: Array) -> Sides:
    """concat(x @ u, x @ v) -> x @ concat(u, v)"""
    return concatenate([x @ u, x @ v], -1), x @ concatenate([u, v], 1)


# Added up.


@rule("simplify", "ieee", where="float(T)", x="... n k", y="... n l", u="k m", v="l m")
def sum_of_products(x: Array, y: Array, u: Array, v: Array) -> Sides:
    """x @ u + y @ v -> [x y] @ [u; v]"""
    return x @ u + y @ v, concatenate([x, y], -1) @ concatenate([u, v], 0)


@rule("explore", "ieee", x="n k", y="n l", u="k m", v="l m")
def product_of_concats(x: Array, y: Array, u: Array, v: Array) -> Sides:
    """[x y] @ [u; v] -> x @ u + y @ v"""
    return concatenate([x, y], 1) @ concatenate([u, v], 0), x @ u + y @ v


@rule("simplify", "ieee", where="float(T)", x="n h w c", y="n h w d", k="i j c o", l="i j d o")
def sum_of_convolutions(x: Array, y: Array, k: Array, l: Array) -> Sides:  # noqa: E741
    """conv(x, k) + conv(y, l) -> conv([x y], [k; l]) over joined channels"""
    return conv2d(x, k) + conv2d(y, l), conv2d(concatenate([x, y], 3), concatenate([k, l], 2))
