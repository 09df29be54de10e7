"""The convolution as contractions: tiles of the input and the kernel transformed, their products, and the way back.

    x [n, c, h, w]      padded, channels last: x' [n, m*P + 2, m*Q + 2, c]
    V = B x' B^T        "u i, n m*p+i q c -> u n p q c", then "v j, u n p m*q+j c -> u v n p q c"
    U = G w G^T         "u k, f c k l -> u l c f", then "v l, u l c f -> u v c f"
    M = V * U           "u v n p q c, u v c f -> u v n p q f"
    y = A M A^T         "b v, u v n p q f -> u n p q b f", then "a u, u n p q b f -> n f p a q b"

and y [n, f, P, m, Q, m] is [n, f, m*P, m*Q], of which the result is the first part. Each transform is a contraction
with a constant of a few numbers: one pass over its operand, with lanes along channels, where sums of slices that are
spelled out would be several kernels and a copy; and constant kernels are transformed at compile time.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from ....dialects.nd.array import Array
from ....dialects.nd.constant import constant
from ....dialects.nd.contraction import contract
from ....dialects.nd.dimmap import DimMap, Dims, Index, bare
from ....dialects.nd.dims import Dim
from ....dialects.nd.movement import pad, reshape, slice_, transpose
from .matching import Convolution
from .matrices import TAPS, Algorithm, Matrix

Names = tuple[str, ...]

AT_ONCE = 16
"""Points of a tile whose sums registers hold: the input's tiles are transformed in one step, without a copy between."""


def expanded(c: Convolution, by: Algorithm) -> Array:
    """The convolution's value, computed by F(m, 3) along each window."""
    steps = Steps(c, by)
    v, of_v = steps.input()
    u, of_u = steps.kernel()
    of_m = (*steps.points, *c.batch, *steps.places, *c.features)
    m = contract([v, u], DimMap((bares(of_v), bares(of_u)), bares(of_m)), steps.shape(of_m))
    return steps.result(m, of_m)


def bares(names: Sequence[str]) -> Dims:
    return tuple(bare(n) for n in names)


class Steps:
    """The transforms of one convolution. A window of result p reads the input's dimension `p.x` and has tiles p, points
    `p.u` and, in a tile, results `p.a`."""

    def __init__(self, c: Convolution, by: Algorithm) -> None:
        self.c, self.by = c, by
        self.places: Names = tuple(w.p for w in c.windows)
        self.points: Names = tuple(f"{p}.u" for p in self.places)
        self.lines: Names = tuple(f"{p}.x" for p in self.places)
        self.sizes: dict[str, Dim] = dict(c.sizes)
        for w in c.windows:
            tiles = -(-c.length(w) // by.results)
            self.sizes |= {w.p: tiles, f"{w.p}.u": by.points, f"{w.p}.a": by.results}

    def shape(self, names: Sequence[str]) -> tuple[Dim, ...]:
        return tuple(self.sizes[n] for n in names)

    def input(self) -> tuple[Array, Names]:
        x, names = self.padded(), (*self.c.batch, *self.lines, *self.c.channels)
        self.sizes |= zip(names, x.shape)
        each = len(self.places) if self.by.points ** len(self.places) <= AT_ONCE else 1
        for k in range(0, len(self.places), each):
            group = range(k, k + each)
            index = {self.lines[g]: self.window(g) for g in group}
            rows = (*bares(self.points[k : k + each]), *(bare(f"i{g}") for g in group))
            read = tuple(index.get(n) or bare(n) for n in names)
            places = {self.lines[g]: self.places[g] for g in group}
            names = (*self.points[: k + each], *(places.get(n, n) for n in names[k:]))
            x = self.transformed([self.by.b] * each, rows, x, read, names)
        return x, names

    def window(self, k: int) -> Index:
        """What the tiles of a window read."""
        return Index(((self.places[k], self.by.results), (f"i{k}", 1)), max(self.c.windows[k].start, 0))

    def padded(self) -> Array:
        """The input with channels last and zeros around it, as far as tiles read."""
        c = self.c
        order = [c.x_names.index(n) for n in (*c.batch, *self.places, *c.channels)]
        x, low, high = transpose(c.x, order), [0] * len(order), [0] * len(order)
        for k, w in enumerate(c.windows, len(c.batch)):
            end = w.start - (-c.length(w) // self.by.results) * self.by.results + TAPS - 1
            low[k], high[k] = max(-w.start, 0), max(end - c.read(w), 0)
        return pad(x, 0, low, high)

    def kernel(self) -> tuple[Array, Names]:
        w, names = self.c.w, self.c.w_names
        for k, window in enumerate(self.c.windows):
            g = self.by.g[:, ::-1] if window.backwards else self.by.g
            taps = tuple(other.k for other in self.c.windows[k + 1 :])
            order = (*self.points[: k + 1], *taps, *self.c.channels, *self.c.features)
            w = self.transformed([g], (bare(self.points[k]), bare(window.k)), w, bares(names), order)
            names = order
        return w, names

    def result(self, y: Array, names: Names) -> Array:
        for k, p in reversed(list(enumerate(self.places))):
            split = [p] if k else self.places  # the last transform brings the dimensions into the result's order
            found = (*names[:k], *names[k + 1 :]) if k else self.c.result
            order = tuple(e for n in found for e in ((n, f"{n}.a") if n in split else (n,)))
            y = self.transformed([self.by.a], (bare(f"{p}.a"), bare(self.points[k])), y, bares(names), order)
            names = order
        rank, whole = len(self.c.result), [self.sizes[n] for n in self.c.result]
        whole = [d * self.by.results if n in self.places else d for n, d in zip(self.c.result, whole, strict=True)]
        return slice_(reshape(y, tuple(whole)), [0] * rank, [1] * rank, [self.c.sizes[n] for n in self.c.result])

    def transformed(self, matrices: Sequence[Matrix], rows: Dims, x: Array, read: Dims, names: Names) -> Array:
        """Dimensions of x times matrices; of several, the rows of all come first in `rows`, then the columns."""
        whole = reduce(np.multiply.outer, matrices)
        whole = np.transpose(whole, [*range(0, whole.ndim, 2), *range(1, whole.ndim, 2)])
        factor = constant(np.ascontiguousarray(whole, np.float32))
        return contract([factor, x], DimMap((rows, read), bares(names)), self.shape(names))
