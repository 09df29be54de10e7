"""The minimal algorithms F(2, 3) and F(4, 3): `m` results of three taps by m + 2 products.

    y = A ((G w) * (B x)),  y[a] = sum_k x[a + k] w[k]

of Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308. Their B^T and A^T are b and a
here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Matrix = np.ndarray[Any, np.dtype[np.float64]]

TAPS = 3


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


ALGORITHMS = {
    2: Algorithm(
        a=np.array([[1, 1, 1, 0], [0, 1, -1, -1]], np.float64),
        g=np.array([[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]], np.float64) / 2,
        b=np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]], np.float64),
    ),
    4: Algorithm(
        a=np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], np.float64),
        g=np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], np.float64) / 24,
        b=np.array(
            [
                [4, 0, -5, 0, 1, 0],
                [0, -4, -4, 1, 1, 0],
                [0, 4, -4, -1, 1, 0],
                [0, -2, -1, 2, 1, 0],
                [0, 2, -1, -2, 1, 0],
                [0, 4, 0, -5, 0, 1],
            ],
            np.float64,
        ),
    ),
}
"""By m."""
