"""Systems of triangular matrices and their factors: StableHLO's own ops."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.dialects.builtin import BoolAttr

from ...dialects.nd.cholesky import Cholesky
from ...dialects.nd.triangular import TriangularSolve
from ...dialects.stablehlo.words import Transpose
from . import build as b
from .build import Value


def triangular_solve(op: TriangularSolve, x: Value, y: Value) -> Value:
    return b.one(
        "triangular_solve",
        [x, y],
        op.type,
        left_side=BoolAttr.from_bool(op.right is None),
        lower=BoolAttr.from_bool(op.lower is not None),
        unit_diagonal=BoolAttr.from_bool(op.unit is not None),
        transpose_a=Transpose("TRANSPOSE" if op.transposed is not None else "NO_TRANSPOSE"),
    )


def cholesky(op: Cholesky, x: Value) -> Value:
    """The other triangle of StableHLO's result is undefined: it is made 0."""
    lower = op.upper is None
    out = b.one("cholesky", [x], op.type, lower=BoolAttr.from_bool(lower))
    rows, columns = (b.iota(out.shape, out.ndim - k) for k in (2, 1))
    return b.select(b.compare("GE" if lower else "LE", rows, columns), out, b.like(0.0, out))


ROWS: dict[str, Callable[..., Value]] = {"triangular_solve": triangular_solve, "cholesky": cholesky}
