"""What the results of F(m, 3) may err by: rounding errors of a tile's products, multiplied on the way back.

    |error| <= growth^d * eps * sqrt(K) * sum_c max |x[c]| * sum_k |w[c, k]|

for d windows and sums of K = 3^d * channels terms; the maximum is over what a tile reads. A product at point u is as
large as |g[u]| |b[u]| in the Euclidean norm, a[y, u] of it comes to result y, and errors of several points add up as
squares:

    growth = max_y sqrt(sum_u (a[y, u] |g[u]| |b[u]|)^2)

which is 2.24 for F(2, 3) and 4.62 for F(4, 3), so 5 and 21.4 in two dimensions. Measured errors are a tenth of that.
Unlike a contraction's, the error of a result depends on all that its tile reads, also where the result does not.
"""

from __future__ import annotations

from math import prod, sqrt
from typing import Any

import numpy as np

from ....dialects.nd.op import Tolerance
from .matching import Convolution
from .matrices import TAPS, Algorithm

Np = np.ndarray[Any, Any]


def growth(by: Algorithm) -> float:
    """The error's factor in one dimension."""
    size = np.linalg.norm(by.g, axis=1) * np.linalg.norm(by.b, axis=1)
    return float(np.linalg.norm(by.a * size, axis=1).max())


def error_allowed(c: Convolution, by: Algorithm, x: Np, w: Np) -> Tolerance:
    """Of all results, for an input and a kernel of f32."""
    order = [c.x_names.index(n) for n in c.channels]
    rest = tuple(k for k in range(x.ndim) if k not in order)
    most = np.transpose(np.abs(x), [*rest, *order]).max(tuple(range(len(rest))), initial=0)
    of_w = [c.w_names.index(n) for n in (*c.features, *(v.k for v in c.windows), *c.channels)]
    magnitudes = np.transpose(np.abs(w), of_w) * most
    kept = len(c.features)
    scale = float(magnitudes.sum(tuple(range(kept, w.ndim)), dtype=np.float64).max(initial=0))
    terms = TAPS ** len(c.windows) * prod(most.shape)
    return Tolerance(ulp=1, sums=growth(by) ** len(c.windows) * sqrt(terms), scale=scale)
