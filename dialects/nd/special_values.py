"""References of special functions in float64, by other means than the ops': recurrences to where an asymptotic series
holds, power series of positive terms, Python's own functions, iterations on these."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Np = np.ndarray[Any, np.dtype[Any]]

# B_2, B_4, ... (Abramowitz and Stegun, table 23.2)
BERNOULLI = (
    *(1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510),
    *(43867 / 798, -174611 / 330, 854513 / 138, -236364091 / 2730),
)


def each(f: Callable[[float], float], x: Np) -> Np:
    """A function of Python's math module, element by element."""
    return np.fromiter(map(f, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)


def _lgamma(x: float) -> float:
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):  # a pole; beyond the largest number
        return math.inf


def lgamma_values(x: Np) -> Np:
    return each(_lgamma, x)


def digamma_values(x: Np) -> Np:
    """psi(y) for y from 20 on: log y - 1/(2y) - sum of B_2k / (2k y^2k); psi(y) = psi(y + 1) - 1/y below."""
    with np.errstate(all="ignore"):
        below = x < 0.5
        y = np.where(below, 1 - x, x)
        less = np.zeros(x.shape)
        for _ in range(20):
            short = y < 20
            less = less + np.where(short, 1 / y, 0)
            y = np.where(short, y + 1, y)
        u = 1 / (y * y)
        series = np.zeros(x.shape)
        for k in range(len(BERNOULLI), 0, -1):
            series = (series + BERNOULLI[k - 1] / (2 * k)) * u
        upper = np.log(y) - 0.5 / y - series - less
        lower = upper - np.pi / np.tan(np.pi * (x - np.floor(x + 0.5)))
        out = np.where(below, lower, upper)
        out = np.where((x < 0) & (x == np.floor(x)), np.nan, out)
        return np.where(x == 0, -np.inf, out)


def erf_inv_values(x: Np) -> Np:
    """Halley's iteration on erf, on its complement from 1/2 on, from S. Winitzki's approximation (2008)."""
    with np.errstate(all="ignore"):
        a = np.abs(x)
        inside = np.where(a < 1, a, 0)
        log = np.log1p(-inside * inside)
        b = 2 / (math.pi * 0.147) + log / 2
        y = np.sqrt(np.sqrt(b * b - log / 0.147) - b)
        for _ in range(3):
            error = np.where(inside < 0.5, each(math.erf, y) - inside, (1 - inside) - each(math.erfc, y))
            step = error / (2 / math.sqrt(math.pi) * np.exp(-y * y))
            y = y - step / (1 + y * step)
        y = np.where(a == 1, np.inf, np.where(a < 1, y, np.nan))
        return np.copysign(y, x)


def bessel_values(order: int, x: Np) -> Np:
    """exp(-|x|) I0(x) or I1(x): the power series up to 40, the asymptotic one from there on."""
    with np.errstate(all="ignore"):
        a = np.abs(x)
        small = np.where(a < 40, a, 0)
        term = total = np.ones(x.shape) if order == 0 else small / 2
        for k in range(1, 120):
            term = term * (small * small / 4) / (k * (k + order))
            total = total + term
        large = np.where(a < 40, 40, a)
        term = series = np.ones(x.shape)
        for k in range(1, 30):  # (4 n^2 - 1) (4 n^2 - 9) ... / (k! (-8x)^k)
            term = -term * (4 * order * order - (2 * k - 1) ** 2) / (k * 8 * large)
            series = series + term
        out = np.where(a < 40, total * np.exp(-small), series / np.sqrt(2 * np.pi * large))
        return np.where(x != x, x, np.where(x < 0, -out, out) if order else out)


def zeta_values(s: Np, q: Np) -> tuple[Np, Np]:
    """The sum of (q + k)^-s over k >= 0 by the Euler-Maclaurin formula from q + 30 on; and of the terms' magnitudes."""
    with np.errstate(all="ignore"):
        s, q = np.broadcast_arrays(s, q)
        wide_s, base = s.astype(np.longdouble), q.astype(np.longdouble)
        total = np.zeros(s.shape, np.longdouble)
        size = np.zeros(s.shape, np.longdouble)
        for k in range(30):
            term = power(base + k, wide_s)
            total, size = total + term, size + np.abs(term)
        base = base + 30
        last = power(base, wide_s)
        tail = last * base / (wide_s - 1) + last / 2
        factor = wide_s / base
        for k, b in enumerate(BERNOULLI, 1):
            tail = tail + last * factor * b / math.factorial(2 * k)
            factor = factor * (wide_s + 2 * k - 1) * (wide_s + 2 * k) / (base * base)
        done = np.abs(last * base) <= np.abs(total) * 2.0**-80
        out = np.where(done, total, total + tail)
        out = np.where(np.isposinf(q) & (s > 1), 0, out)
        whole = s == np.floor(s)
        out = np.where((q <= 0) & ~whole, np.nan, out)
        pole = np.where(np.fmod(s, 2) == 0, np.inf, np.nan)
        out = np.where((q <= 0) & (q == np.floor(q)), pole, out)
        out = np.where(s < 1, np.nan, np.where(s == 1, np.inf, out))
        out = np.where((s != s) | (q != q), np.nan, out)
        return out.astype(np.float64), (size + np.abs(tail)).astype(np.float64)


def power(base: Np, s: Np) -> Np:
    return np.power(base, -s)
