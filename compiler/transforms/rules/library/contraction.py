"""Products and convolutions: their sums, their order in a chain, and the scales, slices and pads around them."""

from __future__ import annotations

from typing import Any

from .....dialects.nd.array import Array
from .....dialects.nd.contraction import Contract
from .....dialects.nd.dimmap import parse
from .....dialects.nd.functions import einsum, flip, pad
from .....dialects.nd.mapped import text
from .....dialects.nd.op import bind
from .....dialects.nd.types import tensor
from ..define import rule, sizes

Sides = tuple[Any, Any]

# Sums of products, and products of sums.


@rule("simplify", "fast", where="float(T)", x="... n k", u="k m", v="k m")
def add_products(x: Array, u: Array, v: Array) -> Sides:
    """x @ u + x @ v -> x @ (u + v)"""
    return x @ u + x @ v, x @ (u + v)


@rule("simplify", "fast", where="float(T)", x="... n k", u="k m", v="k m")
def subtract_products(x: Array, u: Array, v: Array) -> Sides:
    """x @ u - x @ v -> x @ (u - v)"""
    return x @ u - x @ v, x @ (u - v)


@rule("simplify", "fast", where="float(T)", x="... n k", y="... n k", w="k m")
def add_products_of_rows(x: Array, y: Array, w: Array) -> Sides:
    """x @ w + y @ w -> (x + y) @ w"""
    return x @ w + y @ w, (x + y) @ w


@rule("explore", "fast", x="... n k", u="k m", v="k m")
def product_of_sum(x: Array, u: Array, v: Array) -> Sides:
    """x @ (u + v) -> x @ u + x @ v"""
    return x @ (u + v), x @ u + x @ v


@rule("explore", "fast", x="... n k", b="k", w="k m")
def product_of_shifted(x: Array, b: Array, w: Array) -> Sides:
    """(x + b) @ w -> x @ w + b @ w: a shift of rows becomes one of results"""
    return (x + b) @ w, x @ w + einsum("k,km->m", b, w)


# Chains and orders.


@rule("explore", "fast", x="... n k", u="k l", v="l m")
def chain_to_the_right(x: Array, u: Array, v: Array) -> Sides:
    """(x @ u) @ v -> x @ (u @ v)"""
    return (x @ u) @ v, x @ (u @ v)


@rule("explore", "fast", x="... n k", u="k l", v="l m")
def chain_to_the_left(x: Array, u: Array, v: Array) -> Sides:
    """x @ (u @ v) -> (x @ u) @ v"""
    return x @ (u @ v), (x @ u) @ v


@rule("explore", "exact", x="n k", w="k m")
def product_commutes(x: Array, w: Array) -> Sides:
    """x @ w -> the same with w as the first operand"""
    return x @ w, einsum("km,nk->nm", w, x)


@rule("explore", "exact", x="n k", w="k m")
def transpose_of_product(x: Array, w: Array) -> Sides:
    """(x @ w).T -> w.T @ x.T"""
    return (x @ w).T, w.T @ x.T


@rule("explore", "ieee", x="n k", w="k m")
def sum_of_rows_of_product(x: Array, w: Array) -> Sides:
    """sum(x @ w, rows) -> sum(x, rows) @ w"""
    return (x @ w).sum(0), einsum("k,km->m", x.sum(0), w)


@rule("explore", "ieee", x="... n k", w="k m")
def sum_of_columns_of_product(x: Array, w: Array) -> Sides:
    """sum(x @ w, columns) -> x @ sum(w, columns)"""
    return (x @ w).sum(-1), einsum("...k,k->...", x, w.sum(1))


# Scales move from results to weights, which are often constant.


@rule("simplify", "ieee", where="float(T)", x="... n k", w="k m", scale="m")
def scale_of_product(x: Array, w: Array, scale: Array) -> Sides:
    """(x @ w) * scale -> x @ (w * scale)"""
    return (x @ w) * scale, x @ (w * scale)


@rule("simplify", "ieee", where="float(T)", x="... n k", w="k m", scale="m")
def quotient_of_product(x: Array, w: Array, scale: Array) -> Sides:
    """(x @ w) / scale -> x @ (w / scale)"""
    return (x @ w) / scale, x @ (w / scale)


@rule("explore", "ieee", where="float(T)", x="n k", w="k m", scale="n")
def scale_of_rows_of_product(x: Array, w: Array, scale: Array) -> Sides:
    """(x @ w) * column -> (x * column) @ w"""
    column = scale.reshape((*scale.shape, 1))
    return (x @ w) * column, (x * column) @ w


@rule("explore", "ieee", where="float(T)", x="... n k", scale="k", w="k m")
def scale_inside_product(x: Array, scale: Array, w: Array) -> Sides:
    """(x * scale) @ w -> x @ (column * w)"""
    return (x * scale) @ w, x @ (scale.reshape((*scale.shape, 1)) * w)


# Slices, pads and reversals.


@rule("explore", "ieee", x="n k", w="k m")
def slice_of_rows_of_product(x: Array, w: Array) -> Sides:
    """(x @ w)[s:] -> x[s:] @ w"""
    s, p = sizes("s p")
    return (x @ w)[s : s + p], x[s : s + p] @ w


@rule("explore", "ieee", x="n k", w="k m")
def slice_of_columns_of_product(x: Array, w: Array) -> Sides:
    """(x @ w)[:, s:] -> x @ w[:, s:]"""
    s, p = sizes("s p")
    return (x @ w)[:, s : s + p], x @ w[:, s : s + p]


@rule("explore", "ieee", x="n k", w="k m")
def product_of_padded_rows(x: Array, w: Array) -> Sides:
    """pad(x, 0, rows) @ w -> pad(x @ w, 0, rows)"""
    low, high = sizes("low high")
    width = [(low, high), (0, 0)]
    return pad(x, width) @ w, pad(x @ w, width)


@rule("explore", "ieee", x="n k", w="k+high m")
def product_of_padded_terms(x: Array, w: Array) -> Sides:
    """pad(x, 0, behind) @ w -> x @ w[:k]"""
    high, k = sizes("high k")
    return pad(x, [(0, 0), (0, high)]) @ w, x @ w[:k]


@rule("simplify", "ieee", x="n k", w="k m")
def product_of_reversals(x: Array, w: Array) -> Sides:
    """reverse(x) @ reverse(w) -> x @ w along what is summed"""
    return flip(x, 1) @ flip(w, 0), x @ w


# Convolutions.


def conv2d(x: Array, w: Array, shape: str = "n p q o") -> Array:
    """Any stride, dilation and padding: row and col are index functions."""
    map_ = "a row(b+e) col(c+f) d, e f d g -> a b c g"
    return bind(Contract, x, w, map=text(parse(map_)), shape=tensor(sizes(shape), x.dtype))


@rule("simplify", "ieee", where="float(T)", x="n h w c", k="i j c o", scale="o", shift="o")
def scale_and_shift_of_convolution(x: Array, k: Array, scale: Array, shift: Array) -> Sides:
    """conv(x, k) * scale + shift -> conv(x, k * scale) + shift: a batch norm folded into the weights"""
    return conv2d(x, k) * scale + shift, conv2d(x, k * scale) + shift


@rule("simplify", "ieee", where="float(T)", x="n h w c", k="i j c o", scale="o")
def scale_of_convolution(x: Array, k: Array, scale: Array) -> Sides:
    """conv(x, k) * scale -> conv(x, k * scale)"""
    return conv2d(x, k) * scale, conv2d(x, k * scale)


@rule("simplify", "fast", where="float(T)", x="n h w c", k="i j c o", l="i j c o")
def add_convolutions(x: Array, k: Array, l: Array) -> Sides:  # noqa: E741
    """conv(x, k) + conv(x, l) -> conv(x, k + l)"""
    return conv2d(x, k) + conv2d(x, l), conv2d(x, k + l)


@rule("simplify", "fast", where="float(T)", x="n h w c", y="n h w c", k="i j c o")
def add_convolved(x: Array, y: Array, k: Array) -> Sides:
    """conv(x, k) + conv(y, k) -> conv(x + y, k): a residual before the convolution"""
    return conv2d(x, k) + conv2d(y, k), conv2d(x + y, k)
