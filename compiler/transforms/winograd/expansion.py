"""The convolution as contractions: tiles of the input and the kernel transformed, their products, and the way back.

    x [n, c, h, w]      padded, channels last: x' [n, m*P + 2, m*Q + 2, c]
    V = B x' B^T        "u i, n m*p+i q c -> u n p q c", then "v j, u n p m*q+j c -> u v n p q c"
    U = G w G^T         "u k, f c k l -> u l c f", then "v l, u l c f -> u v c f"
    M = V * U           "u v n p q c, u v c f -> u v n p q f"
    y = A M A^T         "b v, u v n p q f -> u n p q b f", then "a u, u n p q b f -> n f p a q b"

and y [n, f, P, m, Q, m] is [n, f, m*P, m*Q], of which the result is the first part. Each transform is a contraction
with a constant of a few numbers: one pass over its operand, with lanes along channels, where sums of slices that are
spelled out would be several kernels and a copy; and constant kernels are transformed at compile time. Small tiles are
transformed in all dimensions at once, "u v i j, n m*p+i m*q+j c -> u v n p q c".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce

import numpy as np

from ....dialects.nd.array import Array
from ....dialects.nd.constant import constant
from ....dialects.nd.contraction import contract
from ....dialects.nd.dimmap import DimMap, Dims, Index, bare
from ....dialects.nd.dims import Dim
from ....dialects.nd.movement import pad, reshape, slice_, transpose
from .matching import Convolution, Window
from .matrices import TAPS, Algorithm, Matrix

Names = tuple[str, ...]


def expanded(c: Convolution, by: Algorithm) -> Array:
    """The convolution's value, computed by F(m, 3) along each window."""
    steps = Steps(c, by)
    v, of_v = steps.input()
    u, of_u = steps.kernel()
    of_m = (*map(point, c.windows), *c.batch, *(w.p for w in c.windows), *c.features)
    m = contract([v, u], DimMap((bares(of_v), bares(of_u)), bares(of_m)), steps.shape(of_m))
    return steps.result(m, of_m)


def bares(names: Iterable[str]) -> Dims:
    return tuple(bare(n) for n in names)


# Names besides the contraction's own; its name of a window's results is that of their tiles here.


def line(w: Window) -> str:
    """Of the dimension of the input that a window reads."""
    return f"{w.p}.x"


def place(w: Window) -> str:
    """Of what a tile reads of it."""
    return f"{w.p}.i"


def point(w: Window) -> str:
    """Of a tile's points."""
    return f"{w.p}.u"


def part(w: Window) -> str:
    """Of a tile's results."""
    return f"{w.p}.a"


class Steps:
    """The transforms of one convolution, each in steps over a group of windows."""

    def __init__(self, c: Convolution, by: Algorithm) -> None:
        self.c, self.by = c, by
        self.groups = [[c.windows[k] for k in group] for group in by.groups(len(c.windows))]
        self.sizes: dict[str, Dim] = dict(c.sizes)
        for w in c.windows:
            tiles = -(-c.length(w) // by.results)
            self.sizes |= {w.p: tiles, point(w): by.points, part(w): by.results}

    def shape(self, names: Names) -> tuple[Dim, ...]:
        return tuple(self.sizes[n] for n in names)

    def input(self) -> tuple[Array, Names]:
        """V and the names of its dimensions."""
        x, names = self.padded(), (*self.c.batch, *map(line, self.c.windows), *self.c.channels)
        self.sizes |= zip(names, x.shape)
        points: Names = ()
        for group in self.groups:
            windows = {line(w): Index(((w.p, self.by.results), (place(w), 1)), max(w.start, 0)) for w in group}
            read = tuple(windows.get(n) or bare(n) for n in names)
            tiles = {line(w): w.p for w in group}
            rest = tuple(tiles.get(n, n) for n in names[len(points) :])
            points = (*points, *map(point, group))
            names = (*points, *rest)
            rows = [*map(point, group), *map(place, group)]
            x = self.transformed([self.by.b for _ in group], rows, x, read, names)
        return x, names

    def padded(self) -> Array:
        """The input with channels last and zeros around it, as far as tiles read."""
        c = self.c
        order = [c.x_names.index(n) for n in (*c.batch, *(w.p for w in c.windows), *c.channels)]
        x, low, high = transpose(c.x, order), [0] * len(order), [0] * len(order)
        for k, w in enumerate(c.windows, len(c.batch)):
            end = w.start - (-c.length(w) // self.by.results) * self.by.results + TAPS - 1
            low[k], high[k] = max(-w.start, 0), max(end - c.read(w), 0)
        return pad(x, 0, low, high)

    def kernel(self) -> tuple[Array, Names]:
        """U and the names of its dimensions."""
        x, names = self.c.w, self.c.w_names
        done: list[Window] = []
        for group in self.groups:
            done += group
            matrices = [self.by.g[:, ::-1] if w.backwards else self.by.g for w in group]
            rows = [*map(point, group), *(w.k for w in group)]
            taps = (w.k for w in self.c.windows if w not in done)
            order = (*map(point, done), *taps, *self.c.channels, *self.c.features)
            x, names = self.transformed(matrices, rows, x, bares(names), order), order
        return x, names

    def result(self, y: Array, names: Names) -> Array:
        """The convolution's result of M and the names of its dimensions."""
        c = self.c
        for group in reversed(self.groups):
            last = group is self.groups[0]  # brings the dimensions into the result's order
            kept = c.result if last else tuple(n for n in names if n not in map(point, group))
            parts = {w.p: (w.p, part(w)) for w in (c.windows if last else group)}
            order = tuple(m for n in kept for m in parts.get(n, (n,)))
            rows = [*map(part, group), *map(point, group)]
            y, names = self.transformed([self.by.a for _ in group], rows, y, bares(names), order), order
        rank, tiled = len(c.result), {w.p for w in c.windows}
        whole = [self.sizes[n] * (self.by.results if n in tiled else 1) for n in c.result]
        return slice_(reshape(y, tuple(whole)), [0] * rank, [1] * rank, [c.sizes[n] for n in c.result])

    def transformed(
        self, matrices: Sequence[Matrix], names: Sequence[str], x: Array, read: Dims, result: Names
    ) -> Array:
        """Dimensions of x times matrices, whose rows are the first half of `names` and whose columns are the second."""
        whole = reduce(np.multiply.outer, matrices)
        whole = np.transpose(whole, [*range(0, whole.ndim, 2), *range(1, whole.ndim, 2)])
        factor = constant(np.ascontiguousarray(whole, np.float32))
        return contract([factor, x], DimMap((bares(names), read), bares(result)), self.shape(result))
