"""Sums and products over the field of integers modulo a prime: equal there at random points, equal anywhere.

Two polynomials of degree d that differ agree at a random point with probability at most d / PRIME (Schwartz 1980), and
no rounding hides a difference. `evaluate` runs the ops of a side on residues; where an op only moves elements, its own
NumPy reference does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from xdsl.ir import Block

from ....dialects.nd.concatenation import Concat
from ....dialects.nd.constant import Constant
from ....dialects.nd.contraction import Contract, unfold
from ....dialects.nd.elementwise import Add, Mul, Neg, Np, Sub
from ....dialects.nd.movement import Broadcast, Pad, Reshape, Reverse, Slice, Transpose
from ....dialects.nd.op import NdOp
from ....dialects.nd.reduction import Reduce

PRIME = 2**31 - 1
"""A product of two residues, and a sum of as many of them as a side may have, fit 64 bits."""


def is_polynomial(block: Block) -> bool:
    """Are all ops sums, products and movements of the arguments and of whole numbers?"""
    return all(_is_polynomial(op) for op in block.ops if isinstance(op, NdOp))


def _is_polynomial(op: NdOp) -> bool:
    if isinstance(op, Constant):
        return op.splat is not None and isinstance(op.splat, int | float) and op.splat == int(op.splat)
    return isinstance(op, MOVES) or (type(op) in MEANINGS and (not isinstance(op, Reduce) or op.word == "sum"))


def evaluate(op: NdOp, args: Sequence[Np]) -> Np:
    """The op on residues."""
    found = op.reference(*args) if isinstance(op, MOVES) else MEANINGS[type(op)](op, args)
    return np.asarray(found).astype(np.int64) % PRIME


def residues(rng: np.random.Generator, shape: Sequence[int], small: bool) -> Np:
    """A random point; small numbers make a counterexample that people can check."""
    return rng.integers(-2, 3, shape) % PRIME if small else rng.integers(0, PRIME, shape)


def centred(x: Np) -> Np:
    """Residues as the numbers nearest to 0."""
    return np.where(x > PRIME // 2, x - PRIME, x)


def _contract(op: Any, xs: Sequence[Np]) -> Np:
    """Products at every point of all names, then sums."""
    dims, sizes = op.dims, op.extents(xs)
    order = dims.names()
    product: Any = np.ones([sizes[n] for n in order], np.int64)
    for x, d in zip(xs, dims.operands, strict=True):
        read, axes = _along(*unfold(x, d, order, sizes), len(order))
        product = product * read.reshape([read.shape[axes.index(k)] if k in axes else 1 for k in range(len(order))])
        product = product % PRIME
    kept = [order.index(i.name) for i in dims.result]
    total = product.sum(tuple(k for k in range(len(order)) if k not in kept))
    return total.transpose([sorted(kept).index(k) for k in kept])


def _along(x: Np, axes: list[int], rank: int) -> tuple[Np, list[int]]:
    """Dimensions in the order of their axes; of an axis that stands twice, the diagonal."""
    out = [k for k in range(rank) if k in axes]
    return np.einsum(x, axes, out), out


MOVES = (Transpose, Broadcast, Reshape, Slice, Reverse, Pad, Concat)
"""Ops whose reference moves residues as it moves anything."""

MEANINGS: dict[type[NdOp], Callable[[Any, Sequence[Np]], Np]] = {
    Add: lambda op, xs: xs[0] + xs[1],
    Sub: lambda op, xs: xs[0] - xs[1],
    Mul: lambda op, xs: xs[0] * xs[1],
    Neg: lambda op, xs: -xs[0],
    Reduce: lambda op, xs: xs[0].sum(op.axes),
    Contract: _contract,
    Constant: lambda op, xs: np.full(op.type.get_shape(), int(op.splat)),
}
