"""`nd.triangular_solve`: linear systems of triangular matrices, [..., n, n] and [..., n, m].

Blocks on the diagonal are inverted, all at once, row by row; a loop over blocks of rows then multiplies by them what is
left after what is known already. The program's size does not depend on n.
"""

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
from .elementwise import Np, wide
from .op import Array, Props, Tolerance, bind, expand, one_dtype, op
from .types import Type, shape_of

BLOCK = 64
"""Rows of a block."""


@op("triangular_solve", flops=1, tolerance=Tolerance(ulp=4, sums=8), dtypes=matrices.FLOAT_32_64)
class TriangularSolve(Composite):
    """`nd.triangular_solve %a, %b lower transpose`: the x with op(a) x = b.

    `right`: x op(a) = b; `lower`: the lower triangle of a counts, else the upper one; `transpose`: op(a) is the
    transpose; `unit`: the diagonal counts as ones. The other elements of a are not read. Singular systems give
    infinities or NaN.
    """

    a = operand_def(TensorType)
    T: ClassVar = VarConstraint("T", TensorType.constr())
    b = operand_def(T)
    right = opt_prop_def(UnitAttr)
    lower = opt_prop_def(UnitAttr)
    transposed = opt_prop_def(UnitAttr)
    unit = opt_prop_def(UnitAttr)
    result = result_def(T)
    assembly_format = (
        "$a `,` $b (`right` $right^)? (`lower` $lower^)? (`transpose` $transposed^)? (`unit` $unit^)? attr-dict "
        "`:` type($a) `,` type($result)"
    )

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        n = dimmap.names(len(shapes[1]))
        if "right" in props:
            return DimMap(((*n[:-2], OPAQUE, OPAQUE), (*n[:-1], OPAQUE)), (*n[:-1], OPAQUE))
        return DimMap(((*n[:-2], OPAQUE, OPAQUE), (*n[:-2], OPAQUE, n[-1])), (*n[:-2], OPAQUE, n[-1]))

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        one_dtype(cls, types)
        a, b = map(shape_of, types)
        matrices.check_square(types[0])
        along = b[-1 if "right" in props else -2] if len(b) > 1 else None
        if a[:-2] != b[:-2] or len(b) < 2 or along != a[-1]:
            raise ValueError(
                f"expected a right-hand side of {a[-1]} {'columns' if 'right' in props else 'rows'} with the leading "
                f"dimensions of {types[0]}, found {types[1]}"
            )
        return types[1]

    def decompose(self, a: Array, b: Array) -> Array:
        lower, transposed = self.lower is not None, self.transposed is not None
        if self.right is not None:  # (x op(a))^T = op(a)^T x^T
            return F.swapaxes(solve(a, F.swapaxes(b, -1, -2), lower, not transposed, self.unit is not None), -1, -2)
        return solve(a, b, lower, transposed, self.unit is not None)

    @property
    def flipped(self) -> bool:
        """Is the system of columns that of the transpose?"""
        return (self.transposed is not None) != (self.right is not None)

    def system(self, a: Np, b: Np) -> tuple[Np, Np]:
        """m and v of m y = v, where y is x or its transpose."""
        m = np.tril(wide(a)) if self.lower is not None else np.triu(wide(a))
        if self.unit is not None:
            m = np.where(np.eye(a.shape[-1], dtype=bool), 1.0, m)
        m = np.swapaxes(m, -1, -2) if self.flipped else m
        return m, wide(np.swapaxes(b, -1, -2) if self.right is not None else b)

    def reference(self, a: Np, b: Np) -> Np:
        m, v = self.system(a, b)
        n, out = v.shape[-2], np.zeros(v.shape)
        below = (self.lower is not None) != self.flipped
        with np.errstate(all="ignore"):
            for k in range(n) if below else reversed(range(n)):
                known = slice(0, k) if below else slice(k + 1, n)
                rest = v[..., k, :] - np.einsum("...k,...km->...m", m[..., k, known], out[..., known, :])
                out[..., k, :] = rest / m[..., k, k, None]
        return (np.swapaxes(out, -1, -2) if self.right is not None else out).astype(b.dtype)

    def magnitude(self, a: Np, b: Np) -> Any:
        """|op(a)^-1| |op(a)| |x|, by which the system's rounding moves the solution."""
        m, _ = self.system(a, b)
        x = np.abs(self.reference(wide(a), wide(b)))
        x = np.swapaxes(x, -1, -2) if self.right is not None else x
        with np.errstate(all="ignore"):
            if not (np.isfinite(x).all() and np.isfinite(m).all()):
                return np.full(b.shape, np.inf)
            out = np.abs(np.linalg.inv(m)) @ (np.abs(m) @ x)
        return np.swapaxes(out, -1, -2) if self.right is not None else out

    def terms(self, a: Np, b: Np) -> int:
        return a.shape[-1]

    def tangent(self, tangents: Sequence[Array | None]) -> Array | None:
        """dx = op(a)^-1 (db - op(da) x), where da is the triangle's (M. Giles, 2008)."""
        da, db = tangents
        a, x = Array(self.a), Array(self.result)
        if da is None:
            return None if db is None else self.again([a, db])
        part = matrices.triangle(da, self.lower is not None, -1 if self.unit is not None else 0)
        part = F.swapaxes(part, -1, -2) if self.transposed is not None else part
        less = F.matmul(x, part) if self.right is not None else F.matmul(part, x)
        return self.again([a, -less if db is None else db - less])

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        """b alone: op(a)^T y = ct."""
        properties = {k: v for k, v in self.properties.items() if k != "transposed"}
        if self.transposed is None:
            properties["transposed"] = UnitAttr()
        return [None, bind(TriangularSolve, Array(self.a), ct, **properties)]

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        return self.again([a if f else expand(a, size) for a, f in zip(args, flags, strict=True)])


def triangular_solve(
    a: Array, b: Array, right: bool = False, lower: bool = False, transpose: bool = False, unit: bool = False
) -> Array:
    """The solution x of op(a) x = b, or of x op(a) = b; operands of one type and the same leading dimensions."""
    flags = {"right": right, "lower": lower, "transposed": transpose, "unit": unit}
    return bind(TriangularSolve, a, b, **{k: UnitAttr() for k, v in flags.items() if v})


# The algorithm.


def solve(a: Array, b: Array, lower: bool, transposed: bool, unit: bool) -> Array:
    """op(a) x = b"""
    n = matrices.static_size(a, "triangular_solve")
    if not n:
        return b
    a = matrices.triangle(a, lower, -1 if unit else 0)
    if unit:
        a = F.where(F.broadcast_to(matrices.eye_mask(n), a.shape), 1.0, a)
    size = min(n, BLOCK)
    if n % size:  # ones on the diagonal of what is added
        more = size - n % size
        sides = [(0, 0)] * (a.ndim - 2)
        a = matrices.pad_with_ones(a, more)
        x = solve_blocks(a, F.pad(b, [*sides, (0, more), (0, 0)]), lower, transposed, size)
        return F.index(x, (..., slice(0, n), slice(None)))
    return solve_blocks(a, b, lower, transposed, size)


def solve_blocks(a: Array, b: Array, lower: bool, transposed: bool, size: int) -> Array:
    count = int(a.shape[-1]) // size  # pyright: ignore[reportArgumentType]
    inverses = inverted(matrices.diagonal_blocks(a, size), lower)
    if transposed:
        a, inverses = F.swapaxes(a, -1, -2), F.swapaxes(inverses, -1, -2)
    if count == 1:
        return product(F.index(inverses, 0), b)
    rows = [matrices.row_blocks(x, size) for x in (a, b)]
    number = F.iota((count,), 0, i64)
    start = F.zeros(b.shape, b.dtype)
    sequences = [number, *rows, inverses]

    def step(x: Array, k: Array, m: Array, v: Array, inverse: Array) -> list[Array]:
        found = product(inverse, v - F.matmul(m, x))
        return [F.dynamic_update_slice(x, found, [0] * (x.ndim - 2) + [k * size, 0])]

    body = region(step, [start.type, *(slice_type(s.type) for s in sequences)])
    return scan(count, [], [start], sequences, body, reverse=lower == transposed)[0]


def product(x: Array, y: Array) -> Array:
    """x y, terms of even and of odd number added up apart: half the rounding, and XLA's order on CPUs."""
    parts = [
        F.matmul(F.index(x, (..., slice(k, None, 2))), F.index(y, (..., slice(k, None, 2), slice(None))))
        for k in range(min(2, int(x.shape[-1])))  # pyright: ignore[reportArgumentType]
    ]
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


def inverted(blocks: Array, lower: bool) -> Array:
    """The inverses of triangular matrices [count, ..., n, n].

    With columns divided by the diagonal's elements, row k is that of the identity less row k times the rows before.
    """
    n = int(blocks.shape[-1])  # pyright: ignore[reportArgumentType]
    diagonal = matrices.diagonal(blocks)
    scaled = blocks / F.broadcast_to(F.expand_dims(diagonal, -2), blocks.shape)
    start = F.where(F.broadcast_to(matrices.eye_mask(n), blocks.shape), -1.0, F.zeros(blocks.shape, blocks.dtype))
    sequences = [F.iota((n,), 0, i64), F.moveaxis(scaled, -2, 0)]

    def step(out: Array, k: Array, row: Array) -> list[Array]:
        new = -F.einsum("...k,...kj->...j", row, out)
        return [F.dynamic_update_slice(out, F.expand_dims(new, -2), [0] * (out.ndim - 2) + [k, 0])]

    body = region(step, [start.type, *(slice_type(s.type) for s in sequences)])
    (out,) = scan(n, [], [start], sequences, body, reverse=not lower)
    return out / F.broadcast_to(F.expand_dims(diagonal, -1), out.shape)
