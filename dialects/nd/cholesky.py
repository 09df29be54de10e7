"""`nd.cholesky`: the factor L of L L^T, of matrices [..., n, n], in a loop over blocks of columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import TensorType, UnitAttr, i64
from xdsl.irdl import VarConstraint, operand_def, opt_prop_def, result_def

from . import dimmap, matrices
from . import functions as F
from .composite import Composite
from .control import region, scan, slice_type
from .dimmap import OPAQUE, DimMap
from .dims import Dim, Shape
from .elementwise import Np, Sqrt, wide
from .op import Array, Props, Tolerance, bind, one_dtype, op
from .triangular import BLOCK, inverted, triangular_solve
from .types import Type


@op("cholesky", flops=1, tolerance=Tolerance(ulp=4, sums=8), dtypes=matrices.FLOAT_32_64)
class Cholesky(Composite):
    """`nd.cholesky %a`: the lower triangular L with a = L L^T, from the lower triangle of a alone.

    `upper`: the transpose of L, from the upper triangle. All of a matrix that is not positive definite is NaN.
    """

    T: ClassVar = VarConstraint("T", TensorType.constr())
    a = operand_def(T)
    upper = opt_prop_def(UnitAttr)
    result = result_def(T)
    assembly_format = "$a (`upper` $upper^)? attr-dict `:` type($result)"

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        n = dimmap.names(len(shapes[0]))[:-2]
        return DimMap(((*n, OPAQUE, OPAQUE),), (*n, OPAQUE, OPAQUE))

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        one_dtype(cls, types)
        matrices.check_square(types[0])
        return types[0]

    def decompose(self, a: Array) -> Array:
        n = matrices.static_size(a, "cholesky")
        if not n:
            return a
        a = F.swapaxes(a, -1, -2) if self.upper is not None else a
        if n <= BLOCK:
            factor = unblocked(a)
        else:
            more = -n % BLOCK
            padded = matrices.pad_with_ones(a, more) if more else a
            factor = F.index(blocked(padded), (..., slice(0, n), slice(0, n)))
        pivots = F.expand_dims(F.all_(matrices.diagonal(factor) > 0, -1), (-2, -1))
        factor = F.where(F.broadcast_to(pivots, factor.shape), factor, float("nan"))
        return F.swapaxes(factor, -1, -2) if self.upper is not None else factor

    def symmetric(self, a: Np) -> Np:
        low = np.triu(a).swapaxes(-1, -2) if self.upper is not None else np.tril(a)
        return wide(low + np.tril(low, -1).swapaxes(-1, -2))

    def reference(self, a: Np) -> Np:
        out = self.symmetric(a)
        for at in np.ndindex(a.shape[:-2] if out.size else (0,)):
            out[at] = _factor(out[at])
        return (out.swapaxes(-1, -2) if self.upper is not None else out).astype(a.dtype)

    def magnitude(self, a: Np) -> Any:
        """|L| times the lower triangle of |L^-1| |L| |L^T| |L^-T|, by which rounding moves L."""
        low = self.reference(wide(a))
        low = low.swapaxes(-1, -2) if self.upper is not None else low
        low = np.where(np.isfinite(low), low, np.eye(a.shape[-1]))
        inverse, size = np.abs(np.linalg.inv(low)), np.abs(low)
        product = inverse @ size
        out = size @ np.tril(product @ product.swapaxes(-1, -2))
        return out.swapaxes(-1, -2) if self.upper is not None else out

    def terms(self, a: Np) -> int:
        return a.shape[-1]

    def tangent(self, tangents: Sequence[Array | None]) -> Array | None:
        """dL = L phi(L^-1 da L^-T), where phi takes the lower triangle and half of the diagonal (I. Murray, 2016)."""
        if (da := tangents[0]) is None:
            return None
        factor = Array(self.result)
        if self.upper is not None:
            da, factor = F.swapaxes(da, -1, -2), F.swapaxes(factor, -1, -2)
        da = matrices.triangle(da, True) + F.swapaxes(matrices.triangle(da, True, -1), -1, -2)
        inner = triangular_solve(factor, da, lower=True)
        inner = triangular_solve(factor, inner, right=True, lower=True, transpose=True)
        half = F.where(F.broadcast_to(matrices.eye_mask(int(da.shape[-1])), da.shape), 0.5, 1.0)  # pyright: ignore
        out = F.matmul(factor, matrices.triangle(inner * half, True))
        return F.swapaxes(out, -1, -2) if self.upper is not None else out

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        return self.again(args)


def _factor(a: Np) -> Np:
    try:
        out = np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return np.full(a.shape, np.nan)
    return out if (np.diagonal(out) > 0).all() else np.full(a.shape, np.nan)


def cholesky(a: Array, upper: bool = False) -> Array:
    """The triangular factor of positive definite matrices [..., n, n]."""
    return bind(Cholesky, a, **({"upper": UnitAttr()} if upper else {}))


# The algorithm; pivots that are not positive stay as zero or NaN on the diagonal.


def unblocked(a: Array) -> Array:
    """Column by column: column j of a less L times row j of L, by the root of its element j (Cholesky-Crout)."""
    n = int(a.shape[-1])  # pyright: ignore[reportArgumentType]
    start = F.zeros(a.shape, a.dtype)
    sequences = [F.iota((n,), 0, i64), F.moveaxis(a, -1, 0)]

    def step(rows: Array, j: Array, column: Array) -> list[Array]:
        # `rows` is L^T: its row j is column j of L
        lead = [0] * (rows.ndim - 2)
        own = F.dynamic_slice(rows, [*lead, 0, j], (*rows.shape[:-1], 1))
        rest = column - F.einsum("...ki,...kj->...i", rows, own)
        place = F.broadcast_to(F.iota((n,), 0, i64), rest.shape)
        pivot = F.sum_(F.where(place == j, rest, 0.0), -1, keepdims=True)
        root = F.broadcast_to(bind(Sqrt, pivot), rest.shape)
        new = F.where(place >= j, rest / root, 0.0)
        return [F.dynamic_update_slice(rows, F.expand_dims(new, -2), [*lead, j, 0])]

    body = region(step, [start.type, *(slice_type(s.type) for s in sequences)])
    return F.swapaxes(scan(n, [], [start], sequences, body)[0], -1, -2)


def blocked(a: Array) -> Array:
    """Blocks of columns, each less the product of what is known; the block on the diagonal is factored, the ones below
    are multiplied by its inverse."""
    n = int(a.shape[-1])  # pyright: ignore[reportArgumentType]
    start = F.zeros(a.shape, a.dtype)
    sequences = [F.iota((n // BLOCK,), 0, i64), matrices.column_blocks(a, BLOCK)]

    def step(low: Array, k: Array, columns: Array) -> list[Array]:
        lead, first = [0] * (low.ndim - 2), k * BLOCK
        own = F.dynamic_slice(low, [*lead, first, 0], (*low.shape[:-2], BLOCK, n))
        rest = columns - F.matmul(low, F.swapaxes(own, -1, -2))
        top = unblocked(F.dynamic_slice(rest, [*lead, first, 0], (*low.shape[:-2], BLOCK, BLOCK)))
        below = F.matmul(rest, F.swapaxes(inverted(top, lower=True), -1, -2))
        rows = F.broadcast_to(F.expand_dims(F.iota((n,), 0, i64), -1), below.shape)
        new = F.dynamic_update_slice(F.where(rows >= first + BLOCK, below, 0.0), top, [*lead, first, 0])
        return [F.dynamic_update_slice(low, new, [*lead, 0, first])]

    body = region(step, [start.type, *(slice_type(s.type) for s in sequences)])
    return scan(n // BLOCK, [], [start], sequences, body)[0]
