"""`nd.zeta`: the Hurwitz zeta function, the sum of (q + k)^-s over k = 0, 1, 2, ..."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .arithmetic import Rem
from .composite import Composite
from .elementwise import Abs, Binary, Floor, Np, Pow, full_like, where, wide
from .op import Array, NdOp, Tolerance, bind, op
from .special_values import BERNOULLI, zeta_values
from .types import FLOAT

DIRECT = 10
"""Terms added one by one."""


@op("zeta", flops=1000, tolerance=Tolerance(ulp=8, sums=4), dtypes=FLOAT)
class Zeta(Binary, Composite):
    """`nd.zeta %s, %q`: infinite at s = 1, NaN below, and for q <= 0 unless s is whole.

    At whole q <= 0 infinite for even s, NaN for odd. The series' rest is known to all digits for q above -8.
    Euler-Maclaurin formula: F. Johansson, Rigorous high-precision computation of the Hurwitz zeta function and its
    derivatives (Numer. Algor. 69, 2015), equation 5.
    """

    def decompose(self, s: Array, q: Array) -> Array:
        total, a = bind(Pow, q, -s), q
        for _ in range(DIRECT - 1):
            a = a + 1.0
            total = total + bind(Pow, a, -s)
        a = a + 1.0
        # with a = q + 10: a^-s (a / (s - 1) + 1/2 + sum of B_2k / (2k)! s (s + 1) ... (s + 2k - 2) / a^(2k - 1))
        last = bind(Pow, a, -s)
        series = full_like(s, 0.0)
        for k in range(len(BERNOULLI), 0, -1):
            series = series + BERNOULLI[k - 1] / math.factorial(2 * k)
            if k > 1:
                series = series * ((s + (2 * k - 3)) / a) * ((s + (2 * k - 2)) / a)
        rest = last * a
        more = total + (rest / (s - 1.0) + last * (0.5 + s / a * series))
        # large powers: nothing is left, and the factors overflow
        out = where(bind(Abs, rest) <= bind(Abs, total) * 1e-24, total, more)
        out = where((q == math.inf) & (s > 1), 0.0, out)
        return self.special(s, q, out)

    def special(self, s: Array, q: Array, value: Array) -> Array:
        """`value` but where the series diverges or is not defined."""
        none, pole = q <= 0, (q <= 0) & (q == bind(Floor, q))
        value = where(none & (s != bind(Floor, s)), math.nan, value)
        odd = bind(Rem, s, full_like(s, 2.0)) != 0
        value = where(pole, where(odd, full_like(s, math.nan), math.inf), value)
        value = where(s < 1, math.nan, where(s == 1, math.inf, value))
        return where(q != q, q, value)

    tangent = NdOp.tangent  # through the decomposition

    def reference(self, s: Np, q: Np) -> Np:
        return zeta_values(wide(s), wide(q))[0].astype(s.dtype)

    def magnitude(self, s: Np, q: Np) -> Any:
        # q + k is rounded, and the power multiplies that by s
        size = zeta_values(wide(s), wide(q))[1]
        return size * (4 + np.abs(wide(s)))
