"""The standard's extension `linalg`. Decompositions are loops over columns or rotations of whole stacks of matrices.

Gradients go through `cholesky`, `det`, `inv`, `qr`, `slogdet` and `solve`, not through those that iterate until they
converge: eigenvalues and singular values.
"""

from __future__ import annotations

from math import inf
from typing import Any, Literal, NamedTuple

from ....dialects.nd import decompositions as D
from ....dialects.nd import functions as F
from ....dialects.nd.array import Array, Axis
from ....dialects.nd.cholesky import cholesky as real_cholesky
from ....dialects.nd.promotion import asarray, axes_of, broadcast_shapes, fail
from ....dialects.nd.triangular import triangular_solve
from ....dialects.nd.types import is_complex
from .elementwise import conj
from .linear_algebra import matrix_transpose, outer, tensordot, vecdot

matmul = F.matmul


class EighResult(NamedTuple):
    eigenvalues: Array
    eigenvectors: Array


class QRResult(NamedTuple):
    Q: Array
    R: Array


class SlogdetResult(NamedTuple):
    sign: Array
    logabsdet: Array


class SVDResult(NamedTuple):
    U: Array
    S: Array
    Vh: Array


# Products and diagonals.


def cross(x: Any, y: Any, /, *, axis: int = -1) -> Array:
    """The cross product of vectors of three elements along an axis of both, counted from the last."""
    x, y = asarray(x), asarray(y)
    parts: list[list[Array]] = []
    for v in (x, y):
        at = axes_of(v, axis)[0]
        if v.shape[at] != 3:
            raise fail(f"cross: expected vectors of 3 elements in axis {axis}, found {v.type}")
        v = F.moveaxis(v, at, -1)
        parts.append([v[..., k] for k in range(3)])
    a, b = parts
    out = F.stack([a[k - 2] * b[k - 1] - a[k - 1] * b[k - 2] for k in range(3)], -1)
    return F.moveaxis(out, -1, axis)


def diagonal(x: Any, /, *, offset: int = 0) -> Array:
    """The elements `offset` places above the diagonal of each matrix."""
    x = asarray(x)
    if x.ndim < 2 or not all(isinstance(d, int) for d in x.shape[-2:]):
        raise fail(f"diagonal: expected matrices whose sizes are known in the last two dimensions, found {x.type}")
    rows, columns = (d for d in x.shape[-2:] if isinstance(d, int))
    first, count = max(-offset, 0), max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    places = [(first + k) * columns + first + offset + k for k in range(count)]
    return F.take(F.reshape(x, (*x.shape[:-2], rows * columns)), places, -1)


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Array:
    """The sum of a diagonal; of integers in 64 bits, unless `dtype` says otherwise."""
    return F.sum_(diagonal(x, offset=offset), -1, False, dtype)


# Norms.


def vector_norm(x: Any, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Array:
    """`sum(abs(x)^ord)^(1 / ord)`, the largest for inf, the smallest for -inf, how many are not 0 for 0."""
    size = F.abs_(F.floats(x))
    if ord == inf:
        return F.max_(size, axis, keepdims)
    if ord == -inf:
        return F.min_(size, axis, keepdims)
    if ord == 0:
        return F.sum_(F.convert(size != 0, size.dtype), axis, keepdims)
    if ord == 1:
        return F.sum_(size, axis, keepdims)
    if ord == 2:
        return F.sqrt(F.sum_(size * size, axis, keepdims))
    return F.sum_(size ** float(ord), axis, keepdims) ** (1 / ord)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: float | Literal["fro", "nuc"] | None = "fro") -> Array:
    """`fro` the root of the sum of squares, `nuc` the sum of the singular values, 2 and -2 the largest and least of
    them, 1 and -1 those of the sums of columns, inf and -inf those of the sums of rows."""
    x = F.floats(x)
    if x.ndim < 2:
        raise fail(f"matrix_norm: expected matrices, found {x.type}")
    if ord in (None, "fro"):
        return vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord in (1, -1, inf, -inf):
        sums = F.sum_(F.abs_(x), -2 if ord in (1, -1) else -1, True)
        reduce = F.max_ if ord in (1, inf) else F.min_
        return reduce(sums, (-2, -1), keepdims)
    if ord not in ("nuc", 2, -2):
        raise fail(f"matrix_norm: expected an order of 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, found {ord!r}")
    s = svdvals(x)
    y = F.sum_(s, -1) if ord == "nuc" else F.max_(s, -1) if ord == 2 else F.min_(s, -1)
    return F.expand_dims(y, (-2, -1)) if keepdims else y


# Systems of equations.


def cholesky(x: Any, /, *, upper: bool = False) -> Array:
    """The lower L with x = L L^H, or its adjoint; NaN where x is not positive definite."""
    x, n, _ = D.matrix("cholesky", x, True)
    if is_complex(x.type):
        lower = D.cholesky(x, n)
        return D.adjoint(lower) if upper else lower
    return real_cholesky(F.swapaxes(x, -1, -2), True) if upper else real_cholesky(x)


def det(x: Any, /) -> Array:
    """The product of U's diagonal in P x = L U, with the sign of P."""
    x, n, _ = D.matrix("det", x, True)
    packed, pivots = D.lu(x, n, n)
    return D.parity(pivots, x.dtype) * F.prod(diagonal(packed), -1)


def slogdet(x: Any, /) -> SlogdetResult:
    """The sign of the determinant and the logarithm of its magnitude."""
    x, n, _ = D.matrix("slogdet", x, True)
    packed, exchanged = D.lu(x, n, n)
    pivots = diagonal(packed)
    size = F.abs_(pivots)
    signs = F.where(size == 0, 0.0, pivots / F.where(size == 0, 1.0, size))
    return SlogdetResult(D.parity(exchanged, x.dtype) * F.prod(signs, -1), F.sum_(F.log(size), -1))


def solve(x: Any, y: Any, /) -> Array:
    """The z with `x @ z = y`; a y of one dimension is one right-hand side for every matrix."""
    x, y = F.alike([F.floats(x), F.floats(y)])
    x, n, _ = D.matrix("solve", x, True)
    vector = y.ndim == 1
    right = D.column_of(y) if vector else y
    if right.ndim < 2 or right.shape[-2] != n:
        raise fail(f"solve: expected right-hand sides of {n} elements for {x.type}, found {y.type}")
    batch = broadcast_shapes(x.shape[:-2], right.shape[:-2])
    x, right = F.broadcast_to(x, (*batch, n, n)), F.broadcast_to(right, (*batch, *right.shape[-2:]))
    packed, pivots = D.lu(x, n, n)
    order = D.permutation(pivots, n)
    right = F.take_along_axis(right, D.column_of(order), -2, "promise")
    if is_complex(x.type):
        found = D.substitute(packed, D.substitute(packed, right, n, True, True), n, False, False)
    else:
        found = triangular_solve(packed, triangular_solve(packed, right, lower=True, unit=True))
    return F.squeeze(found, -1) if vector else found


def inv(x: Any, /) -> Array:
    """The inverse; infinities or NaN where there is none."""
    x, n, _ = D.matrix("inv", x, True)
    return solve(x, D.identity(x, n))


def matrix_power(x: Any, n: int, /) -> Array:
    """x @ x @ ..., n times, by squaring; of a negative n, of the inverse."""
    x, size, _ = D.matrix("matrix_power", x, True)
    if n < 0:
        return matrix_power(inv(x), -n)
    out: Array | None = None
    while n:
        if n & 1:
            out = x if out is None else F.matmul(out, x)
        n >>= 1
        x = F.matmul(x, x) if n else x
    return D.identity(x, size) if out is None else out


# Factors.


def qr(x: Any, /, *, mode: Literal["reduced", "complete"] = "reduced") -> QRResult:
    """x = Q R of orthonormal columns and an upper triangle; `reduced` drops the columns that meet zeros."""
    x, m, n = D.matrix("qr", x)
    if mode not in ("reduced", "complete"):
        raise fail(f"qr: expected a mode of reduced or complete, found {mode!r}")
    q, r = D.householder(x, m, n)
    k = m if mode == "complete" else min(m, n)
    return QRResult(q[..., :k], r[..., :k, :])


def eigh(x: Any, /) -> EighResult:
    """Eigenvalues in ascending order and orthonormal eigenvectors, as columns, of symmetric matrices."""
    x, n, _ = D.matrix("eigh", x, True)
    return EighResult(*D.eigh(x, n))


def eigvalsh(x: Any, /) -> Array:
    """The eigenvalues of symmetric matrices in ascending order."""
    return eigh(x).eigenvalues


def svd(x: Any, /, *, full_matrices: bool = True) -> SVDResult:
    """x = U diag(S) Vh of orthonormal columns and rows, S in descending order."""
    x, m, n = D.matrix("svd", x)
    u, s, vh = D.svd(x, m, n)
    k = min(m, n)
    return SVDResult(u, s, vh) if full_matrices else SVDResult(u[..., :k], s, vh[..., :k, :])


def svdvals(x: Any, /) -> Array:
    """The singular values in descending order."""
    return svd(x, full_matrices=False).S


def _kept(s: Array, x: Array, rtol: Any) -> Array:
    """Which singular values count."""
    m, n = (d for d in x.shape[-2:] if isinstance(d, int))
    least = asarray(max(m, n) * D.epsilon(x) if rtol is None else rtol, s.dtype)
    return s > F.expand_dims(least, -1) * F.max_(s, -1, True)


def matrix_rank(x: Any, /, *, rtol: Any = None) -> Array:
    """How many singular values are above `rtol` times the largest (max(m, n) eps, if not given), i64."""
    x, *_ = D.matrix("matrix_rank", x)
    return F.sum_(_kept(svdvals(x), x, rtol), -1)


def pinv(x: Any, /, *, rtol: Any = None) -> Array:
    """The pseudo-inverse: singular values are inverted, or dropped where they do not count."""
    x, *_ = D.matrix("pinv", x)
    u, s, vh = svd(x, full_matrices=False)
    counts = _kept(s, x, rtol)
    inverse = F.where(counts, 1.0 / F.where(counts, s, 1.0), 0.0)
    return F.matmul(conj(matrix_transpose(vh)) * D.row_of(inverse), D.adjoint(u))


__all__ = [
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]
