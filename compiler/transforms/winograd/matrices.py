"""The minimal algorithms F(2, 3) and F(4, 3): `m` results of three taps by m + 2 products.

    y = a ((g w) * (b x)),  y[i] = sum_k x[i + k] w[k]

of Lavin and Gray, arXiv:1509.09308, whose B^T and A^T are b and a here. The products are the values of polynomials at
m + 1 points and at infinity (Cook and Toom); the choice of points decides how far rounding errors grow (Barabasz and
others, arXiv:1803.10986). The transforms are contractions, which take the same time for any numbers, so that the points
of F(4, 3) need not be small integers: 0, +-sqrt(1/2), +-sqrt(2) have a quarter of the error of 0, +-1, +-2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod, sqrt
from typing import Any

import numpy as np

Matrix = np.ndarray[Any, np.dtype[np.float64]]

TAPS = 3

AT_ONCE = 16
"""Points of a tile up to which it is transformed in all dimensions at once: with few points, memory is what takes time,
and one step moves less than two."""


@dataclass(frozen=True)
class Algorithm:
    """F(m, 3). Shapes: `a` [m, m + 2], `g` [m + 2, 3], `b` [m + 2, m + 2]."""

    a: Matrix
    g: Matrix
    b: Matrix

    @property
    def results(self) -> int:
        """m"""
        return self.a.shape[0]

    @property
    def points(self) -> int:
        """m + 2"""
        return self.a.shape[1]

    def groups(self, dimensions: int) -> list[range]:
        """The dimensions in which tiles are transformed at once, one group after the other."""
        at_once = self.points**dimensions <= AT_ONCE
        return [range(dimensions)] if at_once else [range(k, k + 1) for k in range(dimensions)]


def algorithm(*points: float) -> Algorithm:
    """F(m, 3) of m + 1 points and infinity, by Lagrange's interpolation transposed."""
    n = len(points) + 1
    m = n - TAPS + 1
    a, g, b = np.zeros((m, n)), np.zeros((n, TAPS)), np.zeros((n, n))
    for u, p in enumerate(points):
        others = [q for q in points if q != p]
        a[:, u] = [p**i for i in range(m)]
        g[u] = [p**k / prod(p - q for q in others) for k in range(TAPS)]
        b[u, :-1] = with_roots(others)
    a[-1, -1] = g[-1, -1] = 1
    b[-1] = with_roots(points)
    return Algorithm(a, g, b)


def with_roots(roots: Sequence[float]) -> Matrix:
    """Coefficients of the product of all (t - root), from the constant one on."""
    found = np.ones(1)
    for root in roots:
        found = np.convolve(found, [-root, 1.0])
    return found


ALGORITHMS = {2: algorithm(0, 1, -1), 4: algorithm(0, sqrt(1 / 2), -sqrt(1 / 2), sqrt(2), -sqrt(2))}
"""By m."""
