"""Decompositions of matrices and stacks of them, in the array language: a loop over columns or rotations each.

Golub and Van Loan, Matrix Computations, 4th ed.: LU with partial pivoting (3.4), Householder's QR (5.2), cyclic Jacobi
for eigenvalues (8.5) and singular values (8.6.3, one-sided). Sizes of matrices are numbers; batches may be symbolic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from xdsl.dialects.builtin import i32, i64

from . import functions as F
from . import loops, ordered, types
from .array import Array
from .complex import conj, imag, real
from .constant import iota
from .promotion import asarray, fail

SWEEPS = 30
"""Jacobi's method converges in about ten."""


def matrix(what: str, x: Any, square: bool = False) -> tuple[Array, int, int]:
    """A float array of matrices, and their sizes."""
    x = F.floats(asarray(x))
    if x.ndim < 2 or not all(isinstance(d, int) for d in x.shape[-2:]) or (square and x.shape[-1] != x.shape[-2]):
        kind = "square matrices" if square else "matrices"
        raise fail(f"{what}: expected {kind} whose sizes are known in the last two dimensions, found {x.type}")
    m, n = x.shape[-2:]
    assert isinstance(m, int) and isinstance(n, int)
    return x, m, n


def adjoint(x: Array) -> Array:
    """The conjugate transpose."""
    return conj(F.matrix_transpose(x))


def identity(x: Array, n: int) -> Array:
    """One of size n for each matrix of x."""
    one = F.convert(F.eye_mask((n, n), [(0, 1)]), x.dtype)
    return F.broadcast_to(one, (*x.shape[:-2], n, n))


def pick(x: Array, k: Any, axis: int) -> Array:
    """The k-th slice, where k is computed and in range."""
    return F.take(x, k, axis, "promise")


def column_of(x: Array) -> Array:
    return F.expand_dims(x, -1)


def row_of(x: Array) -> Array:
    return F.expand_dims(x, -2)


def epsilon(x: Array) -> float:
    """The unit roundoff of x's type, times 2."""
    return float(types.finfo(types.NUMPY[real(x).dtype]).eps)


def lu(x: Array, m: int, n: int) -> tuple[Array, Array]:
    """L and U of matrices [..., m, n] in one, and which row each of the first min(m, n) rows was exchanged with, i32.

    Each step exchanges the largest element below into the diagonal and subtracts multiples of its row; a column of
    nothing but zeros is divided by 1 instead, so that a singular matrix gets a 0 on the diagonal.
    """
    steps = min(m, n)

    def step(a: Array, pivots: Array, k: Array) -> list[Array]:
        rows, columns = iota((m,), 0), iota((n,), 0)
        p = F.argmax(F.where(rows >= k, F.abs_(pick(a, k, -1)), -1.0), -1)
        there = column_of(p)
        at, to = pick(a, k, -2), F.squeeze(F.take_along_axis(a, column_of(there), -2, "promise"), -2)
        a = F.where(column_of(rows == there), row_of(at), a)
        a = F.where(column_of(rows == k), row_of(to), a)
        pivot = column_of(pick(to, k, -1))
        column = F.where(rows > k, pick(a, k, -1) / F.where(pivot == 0, 1.0, pivot), 0.0)
        a = a - column_of(column) * row_of(F.where(columns > k, to, 0.0))
        a = F.where(F.logical_and(columns == k, column_of(rows) > k), column_of(column), a)
        pivots = F.where(iota((steps,), 0) == k, F.convert(there, i32), pivots)
        return [a, pivots]

    packed, pivots = loops.counted(steps, step, [x, F.zeros((*x.shape[:-2], steps), i32)])
    return packed, pivots


def permutation(pivots: Array, m: int) -> Array:
    """The row that each of m rows was before the exchanges, i64."""
    steps = pivots.shape[-1]
    assert isinstance(steps, int)

    def step(pivots: Array, order: Array, k: Array) -> list[Array]:
        places, there = iota((m,), 0), column_of(F.convert(pick(pivots, k, -1), i64))
        at, to = column_of(pick(order, k, -1)), F.take_along_axis(order, there, -1, "promise")
        return [F.where(places == k, to, F.where(places == there, at, order))]

    start = F.broadcast_to(iota((m,), 0, i64), (*pivots.shape[:-1], m))
    return loops.counted(steps, step, [start], pivots)[0]


def parity(pivots: Array, dtype: Any) -> Array:
    """The sign of the permutation."""
    steps = pivots.shape[-1]
    assert isinstance(steps, int)
    return F.prod(F.convert(F.where(pivots == iota((steps,), 0, i32), 1, -1), dtype), -1)


def substitute(a: Array, b: Array, n: int, lower: bool, unit: bool) -> Array:
    """The solution of a x = b for a triangular a, whose other triangle (and diagonal, if `unit`) is not looked at."""

    def step(a: Array, b: Array, t: Array) -> list[Array]:
        places = iota((n,), 0)
        k = t if lower else n - 1 - t
        column, row = pick(a, k, -1), pick(b, k, -2)
        found = row if unit else row / column_of(pick(column, k, -1))
        b = F.where(column_of(places == k), row_of(found), b)
        rest = F.where(places > k if lower else places < k, column, 0.0)
        return [b - column_of(rest) * row_of(found)]

    return loops.counted(n, step, [b], a)[0]


def cholesky(x: Array, n: int) -> Array:
    """The lower L with x = L L^H, of which the lower triangle is looked at; NaN where x is not positive definite."""

    def step(a: Array, k: Array) -> list[Array]:
        places = iota((n,), 0)
        column = pick(a, k, -1)
        pivot = F.sqrt(real(pick(column, k, -1)))
        column = F.where(places == k, column_of(pivot), F.where(places > k, column / column_of(pivot), 0.0))
        inner = F.where(places > k, column, 0.0)
        a = a - column_of(inner) * row_of(conj(inner))
        return [F.where(places == k, column_of(column), a)]

    (found,) = loops.counted(n, step, [x])
    places = iota((n,), 0)
    pivots = F.sum_(F.where(F.eye_mask((n, n), [(0, 1)]), real(found), 0.0), -1)
    good = F.expand_dims(F.all_(pivots > 0, -1), (-2, -1))
    return F.where(column_of(places) >= places, F.where(good, found, float("nan")), F.zeros_like(found))


def householder(x: Array, m: int, n: int) -> tuple[Array, Array]:
    """Q of m columns and R of m rows; R's diagonal is real."""

    def step(q: Array, r: Array, k: Array) -> list[Array]:
        places = iota((m,), 0)
        column = F.where(places >= k, pick(r, k, -1), 0.0)
        largest = F.max_(F.abs_(column), -1, keepdims=True)
        column = column / F.where(largest == 0, 1.0, largest)
        head = pick(column, k, -1)
        phase = F.where(head == 0, 1.0, head / F.where(head == 0, 1.0, F.abs_(head)))
        v = column + F.where(places == k, column_of(phase * F.sqrt(squares(column))), 0.0)
        total = squares(v)
        tau = F.expand_dims(F.where(total == 0, 0.0, 2.0 / F.where(total == 0, 1.0, total)), (-1, -2))
        v, w = column_of(v), row_of(conj(v))  # I - tau v v^H maps the column to one with zeros below k
        return [q - tau * F.matmul(q, v) * w, r - tau * v * F.matmul(w, r)]

    q, r = loops.counted(min(m, n), step, [identity(x, m), x])
    below = column_of(iota((m,), 0)) > iota((n,), 0)
    return q, F.where(below, 0.0, r)


def reflectors(x: Array, m: int, n: int) -> tuple[Array, Array]:
    """LAPACK's form of QR: R above v below the diagonal, and tau, of H_k = I - tau v v^H whose v is 0, then 1, then
    what is stored; Q = H_1 H_2 ... H_k.

    Of a column with head a and norm r: b = -sign(re a) r, v = rest / (a - b), tau = (b - a) / b; of zeros tau is 0.
    """
    steps = min(m, n)

    def step(a: Array, taus: Array, k: Array) -> list[Array]:
        rows, columns = iota((m,), 0), iota((n,), 0)
        column = pick(a, k, -1)
        head, rest = pick(column, k, -1), F.where(rows > k, column, F.zeros_like(column))
        largest = F.max_(F.abs_(F.where(rows >= k, column, F.zeros_like(column))), -1)
        scale = F.where(largest == 0, 1.0, largest)
        norm = scale * F.sqrt(squares(F.concatenate([rest, column_of(head)], -1) / column_of(scale)))
        b = F.where(real(head) > 0, -norm, norm)
        if types.is_complex(a.dtype):
            none = F.logical_and(F.all_(rest == 0, -1), imag(head) == 0)
        else:
            none = F.all_(rest == 0, -1)
        none = F.logical_or(none, norm == 0)
        b = F.where(none, head, F.convert(b, a.dtype))
        tau = F.where(none, F.zeros_like(b), (b - head) / F.where(none, F.ones_like(b), b))
        tail = rest / column_of(F.where(none, F.ones_like(b), head - b))
        v = F.where(rows == k, F.ones_like(tail), tail)
        # H^H from the left on what is right of the column
        w = F.matmul(row_of(conj(v)), a)
        less = column_of(v) * (w * F.expand_dims(conj(tau), (-1, -2)))
        a = F.where(columns > k, a - less, a)
        new = F.where(rows == k, column_of(b), F.where(rows > k, tail, column))
        a = F.where(columns == k, column_of(new), a)
        return [a, F.where(iota((steps,), 0) == k, column_of(tau), taus)]

    packed, taus = loops.counted(steps, step, [x, F.zeros((*x.shape[:-2], steps), x.dtype)])
    return packed, taus


def reflected(a: Array, taus: Array, m: int, n: int) -> Array:
    """The first n columns of the Q of `reflectors`: H_1 (H_2 (... (H_k I)))."""
    steps = taus.shape[-1]
    assert isinstance(steps, int)

    def step(a: Array, taus: Array, q: Array, t: Array) -> list[Array]:
        rows, k = iota((m,), 0), steps - 1 - t
        column = pick(a, k, -1)
        v = F.where(rows == k, F.ones_like(column), F.where(rows > k, column, F.zeros_like(column)))
        w = F.matmul(row_of(conj(v)), q)
        return [q - column_of(v) * (w * F.expand_dims(pick(taus, k, -1), (-1, -2)))]

    one = F.convert(F.eye_mask((m, n), [(0, 1)]), a.dtype)
    return loops.counted(steps, step, [F.broadcast_to(one, (*a.shape[:-2], m, n))], a, taus)[0]


def squares(x: Array) -> Array:
    """The sum of the squares of the magnitudes along the last dimension."""
    size = F.abs_(x)
    return F.sum_(size * size, -1)


def rounds(n: int) -> np.ndarray[Any, Any]:
    """For each round of a tournament, everyone's partner: each pair meets once; who has none is its own."""
    even = n + n % 2
    table = np.tile(np.arange(n), (even - 1, 1))
    for r in range(even - 1):
        for i in range(n):
            j = (r - i) % (even - 1) if i < even - 1 else -1
            if j == i or j < 0:  # meets the last one: 2 j = r
                j = even - 1 if i < even - 1 else next(k for k in range(even - 1) if 2 * k % (even - 1) == r)
            if j < n:
                table[r, i] = j
    return table


def rotation(square: Array, product: Array, partner: Array, n: int) -> tuple[Array, Array]:
    """c and s for which `row i' = c_i row i - s_i row partner(i)` makes each pair orthogonal.

    `square` holds the diagonal elements, `product` those of each with its partner. tau = (a_pp - a_ii) / (2 |a_ip|),
    t = sign(tau) / (|tau| + sqrt(1 + tau^2)) the smaller root, c = 1 / sqrt(1 + t^2), s = t c a_ip / |a_ip|.
    """
    size = F.abs_(product)
    none = size == 0
    tau = (pick(square, partner, -1) - square) / (2.0 * F.where(none, 1.0, size))
    first = F.where(iota((n,), 0) < partner, 1.0, -1.0)
    sign = F.where(tau == 0, first, F.sign(tau))
    t = F.where(none, 0.0, sign / (F.abs_(tau) + F.hypot(tau, 1.0)))
    c = 1.0 / F.sqrt(1.0 + t * t)
    return column_of(c), column_of(t * c * (product / F.where(none, 1.0, size)))


def others(x: Array, partner: Array, n: int) -> Array:
    """x, but 0 where someone is its own partner."""
    return F.where(partner == iota((n,), 0), F.zeros_like(x), x)


Turn = Callable[[Array, Array, Array], tuple[Array, Array, Array]]
"""Rotates all pairs of a round in two matrices; how far from orthogonal the worst was."""


def jacobi(a: Array, w: Array, turn: Turn, n: int, least: float) -> tuple[Array, Array]:
    """Sweeps over all pairs, until none was further from orthogonal than `least`, or there were SWEEPS."""

    def one(a: Array, w: Array, worst: Array, partner: Array) -> list[Array]:
        a, w, angle = turn(a, w, partner)
        return [a, w, F.maximum(worst, angle)]

    def sweep(count: Array, a: Array, w: Array, worst: Array) -> list[Array]:
        table = rounds(n)
        return [count + 1, *loops.over(asarray(table), len(table), one, [a, w, F.zeros_like(worst)])]

    def left(count: Array, a: Array, w: Array, worst: Array) -> Array:
        return F.logical_and(count < SWEEPS, F.any_(worst > least))

    if n < 2:
        return a, w
    start = [F.zeros((), i64), a, w, F.ones(a.shape[:-2], real(a).dtype) * float("inf")]
    return tuple(loops.as_long_as(left, sweep, start)[1:3])  # pyright: ignore[reportReturnType]


def ordered_rows(values: Array, descending: bool, *matrices: Array) -> list[Array]:
    """The values in order, and the rows of matrices as these."""
    order = ordered.argsort(values, -1, descending)
    rows = [F.take_along_axis(x, column_of(order), -2, "promise") for x in matrices]
    return [F.take_along_axis(values, order, -1, "promise"), *rows]


def eigh(x: Array, n: int) -> tuple[Array, Array]:
    """Eigenvalues in ascending order and eigenvectors as columns; x is taken as the mean of itself and its adjoint."""
    x = (x + adjoint(x)) * 0.5

    def diagonal(a: Array) -> Array:
        return real(F.sum_(F.where(F.eye_mask((n, n), [(0, 1)]), a, F.zeros_like(a)), -1))

    def turn(a: Array, w: Array, partner: Array) -> tuple[Array, Array, Array]:
        places = F.reshape(partner, (*[1] * (a.ndim - 2), n, 1))
        product = others(F.squeeze(F.take_along_axis(a, places, -1, "promise"), -1), partner, n)
        angle = F.max_(F.abs_(product), -1) / F.max_(F.abs_(a), (-1, -2))
        c, s = rotation(diagonal(a), product, partner, n)
        a = c * a - s * pick(a, partner, -2)
        a = F.matrix_transpose(c) * a - adjoint(s) * pick(a, partner, -1)
        return a, c * w - s * pick(w, partner, -2), angle

    a, w = jacobi(x, identity(x, n), turn, n, epsilon(x))
    values, w = ordered_rows(diagonal(a), False, w)
    return values, adjoint(w)


def svd(x: Array, m: int, n: int) -> tuple[Array, Array, Array]:
    """U of m columns, the singular values in descending order, and V^H of n rows: the columns of x are rotated."""
    if m < n:
        u, s, vh = svd(adjoint(x), n, m)
        return adjoint(vh), s, adjoint(u)
    scale = F.max_(F.abs_(x), (-1, -2), keepdims=True)
    scale = F.where(scale == 0, 1.0, scale)

    def turn(t: Array, w: Array, partner: Array) -> tuple[Array, Array, Array]:
        there, square = pick(t, partner, -2), squares(t)
        product = others(F.sum_(t * conj(there), -1), partner, n)
        both = F.sqrt(square) * F.sqrt(pick(square, partner, -1))
        angle = F.max_(F.abs_(product) / F.where(both == 0, 1.0, both), -1)
        c, s = rotation(square, product, partner, n)
        return c * t - s * there, c * w - s * pick(w, partner, -2), angle

    t, w = jacobi(F.matrix_transpose(x / scale), identity(x, n), turn, n, m * epsilon(x))
    sizes, t, w = ordered_rows(F.sqrt(squares(t)), True, t, w)
    own = F.matrix_transpose(t / column_of(F.where(sizes == 0, 1.0, sizes)))
    q, r = householder(own, m, n)  # completes the columns: R's diagonal is 1 or -1, or 0 where there was none
    signs = F.where(F.sum_(F.where(F.eye_mask((m, n), [(0, 1)]), real(r), 0.0), -2) < 0, -1.0, 1.0)
    signs = F.concatenate([signs, F.ones((*x.shape[:-2], m - n), signs.dtype)], -1)
    return q * row_of(signs), sizes * F.squeeze(scale, (-1, -2))[..., None], conj(w)
