"""Fourier transforms of short lengths by butterflies: FFTPACK's passes (P. Swarztrauber, 1982), in the order of
operations of its descendants, so that results are those of NumPy and of JAX on CPUs in every bit.

A complex pass of radix p takes x[l1, p, ido] apart along p, combines, multiplies by roots, and stacks to [p, l1, ido].
Real numbers: `butterflies_real.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import cos, sin
from typing import Any

import numpy as np

from . import functions as F
from .array import Array
from .promotion import asarray
from .types import NUMPY

LENGTH, PRIME = 64, 19
"""The longest length, and the largest prime factor: a pass has about its square of operations."""

Pair = tuple[Array, Array]
"""The real and the imaginary part."""


def factors_of(n: int, powers: Sequence[int]) -> list[int]:
    """Powers of two first, then one 2, which goes to the front; then odd primes, the largest last."""
    out: list[int] = []
    for p in powers:
        while n % p == 0:
            out.append(p)
            n //= p
    if n % 2 == 0:
        out.append(2)
        n //= 2
        out[0], out[-1] = out[-1], out[0]
    p = 3
    while p * p <= n:
        while n % p == 0:
            out.append(p)
            n //= p
        p += 2
    return out + [n] * (n > 1)


def complex_factors(n: int) -> list[int]:
    return factors_of(n, (8, 4))


def real_factors(n: int) -> list[int]:
    return factors_of(n, (4,))


def short(n: int, real: bool = False) -> bool:
    """Does it have these passes? Real ones have primes above 3 at the end only."""
    if n > LENGTH:
        return False
    found = real_factors(n) if real else complex_factors(n)
    return all(p <= PRIME for p in found) and not (real and any(p > 4 for p in found[:-1]))


class Roots:
    """exp(2 pi i k / n), as products of two tables in f64, rounded to the type."""

    def __init__(self, n: int, dtype: Any) -> None:
        self.n, self.dtype, count, shift = n, NUMPY[dtype], (n + 2) // 2, 1
        while (1 << shift) ** 2 < count:
            shift += 1
        self.shift, self.step = shift, float(np.arctan(np.longdouble(1)) / n)

    def _one(self, k: int) -> complex:
        """From at most an eighth of the circle."""
        n, step = self.n, self.step
        k, mirrored = (8 * k, False) if 8 * k < 4 * n else (8 * n - 8 * k, True)
        turned = k >= 2 * n
        k -= 2 * n * turned
        c, s = (cos(k * step), sin(k * step)) if k < n else (sin((2 * n - k) * step), cos((2 * n - k) * step))
        c, s = (-s, c) if turned else (c, s)
        return complex(c, -s if mirrored else s)

    def __getitem__(self, k: int) -> complex:
        if 2 * k > self.n:
            return self[self.n - k].conjugate()
        low, high = k & ((1 << self.shift) - 1), k >> self.shift << self.shift
        if not low or not high:
            return self._one(low or high) if k else 1 + 0j
        x, y = self._one(low), self._one(high)
        return complex(x.real * y.real - x.imag * y.imag, x.real * y.imag + x.imag * y.real)

    def angle(self, k: int) -> tuple[float, float]:
        c, s = self.table([k])
        return float(c[0]), float(s[0])

    def table(self, powers: Sequence[int]) -> tuple[Any, Any]:
        found = np.array([self[k] for k in powers])
        return np.real(found).astype(self.dtype), np.imag(found).astype(self.dtype)


def angle(k: int, n: int) -> tuple[float, float]:
    """cos and sin of 2 pi k / n, rounded to f64 once."""
    k %= n
    if 2 * k > n:
        c, s = angle(n - k, n)
        return c, -s
    a = 8 * np.arctan(np.longdouble(1)) * k / n
    return float(np.cos(a)), float(np.sin(a))


def added(terms: Sequence[Array]) -> Array:
    return reduce(lambda x, y: x + y, terms)


def products(factors: Sequence[float], xs: Sequence[Array]) -> list[Array]:
    return [c * x for c, x in zip(factors, xs, strict=True)]


def grouped(start: Array | None, terms: Sequence[Array], most: int) -> Array:
    """Two terms one by one, then sums of `most` of them, of pairs, and what is left."""
    out = added([*([] if start is None else [start]), *terms[:2]])
    at, size = 2, most
    while at < len(terms):
        while size > len(terms) - at:
            size //= 2
        out = out + added(terms[at : at + size])
        at += size
    return out


def row(x: Array, j: int) -> Array:
    return F.index(x, (..., j, slice(None)))


# Complex transforms of the last dimension.


def complex_passes(x: Pair, n: int, inverse: bool, scale: float) -> Pair:
    """The transform, or the one with conjugate roots, times `scale`."""
    lead, l1 = x[0].shape[:-1], 1
    roots = Roots(n, x[0].dtype)
    for p in complex_factors(n):
        ido = n // (l1 * p)
        re, im = (F.reshape(v, (*lead, l1, p, ido)) for v in x)
        out = butterfly([(row(re, j), row(im, j)) for j in range(p)], inverse, roots, n // p)
        if ido > 1:
            for j in range(1, p):
                out[j] = turned(out[j], roots.table([j * l1 * i for i in range(ido)]), inverse)
        l1 *= p
        x = F.stack([v[0] for v in out], -3), F.stack([v[1] for v in out], -3)
    re, im = (F.reshape(v, (*lead, n)) for v in x)
    return (re, im) if scale == 1 else (re * scale, im * scale)


def turned(x: Pair, root: tuple[Any, Any], inverse: bool) -> Pair:
    re, im = x
    c, s = (F.broadcast_to(asarray(v), re.shape) for v in root)
    return (re * c - im * s, re * s + im * c) if inverse else (re * c + im * s, im * c - re * s)


def plus(x: Pair, y: Pair) -> Pair:
    return x[0] + y[0], x[1] + y[1]


def minus(x: Pair, y: Pair) -> Pair:
    return x[0] - y[0], x[1] - y[1]


def quarter(x: Pair, inverse: bool) -> Pair:
    """Times -i, or i."""
    return (-x[1], x[0]) if inverse else (x[1], -x[0])


ROOT_HALF = 0.7071067811865476
FIXED = 11
"""Up to this prime a complex pass has constants; others take the table's roots."""


def butterfly(x: list[Pair], inverse: bool, roots: Roots, step: int) -> list[Pair]:
    """The transform of a few numbers."""
    match len(x):
        case 2:
            return [plus(x[0], x[1]), minus(x[0], x[1])]
        case 4:
            return four(x, inverse)
        case 8:
            return eight(x, inverse)
        case _:
            return odd(x, inverse, roots, step)


def four(x: list[Pair], inverse: bool) -> list[Pair]:
    a, b = plus(x[0], x[2]), minus(x[0], x[2])
    c, d = plus(x[1], x[3]), quarter(minus(x[1], x[3]), inverse)
    return [plus(a, c), plus(b, d), minus(a, c), minus(b, d)]


def eight(x: list[Pair], inverse: bool) -> list[Pair]:
    def apart(j: int) -> tuple[Pair, Pair]:
        return plus(x[j], x[j + 4]), minus(x[j], x[j + 4])

    (a0, a4), (a1, a5), (a2, a6), (a3, a7) = (apart(j) for j in range(4))
    a1, a3 = plus(a1, a3), quarter(minus(a1, a3), inverse)
    a7 = quarter(a7, inverse)
    a5, a7 = plus(a5, a7), minus(a5, a7)
    if inverse:
        a5 = ROOT_HALF * (a5[0] - a5[1]), ROOT_HALF * (a5[1] + a5[0])
        a7 = ROOT_HALF * (-a7[0] - a7[1]), ROOT_HALF * (a7[0] - a7[1])
    else:
        a5 = ROOT_HALF * (a5[0] + a5[1]), ROOT_HALF * (a5[1] - a5[0])
        a7 = ROOT_HALF * (a7[1] - a7[0]), ROOT_HALF * (-a7[0] - a7[1])
    a6 = quarter(a6, inverse)
    b0, b2, b4, b6 = plus(a0, a2), minus(a0, a2), plus(a4, a6), minus(a4, a6)
    first = [plus(b0, a1), plus(b4, a5), plus(b2, a3), plus(b6, a7)]
    return [*first, minus(b0, a1), minus(b4, a5), minus(b2, a3), minus(b6, a7)]


def odd(x: list[Pair], inverse: bool, roots: Roots, step: int) -> list[Pair]:
    """An odd prime: sums and differences of x[j] and x[-j], times cosines and sines."""
    p = len(x)
    half = range(1, p // 2 + 1)
    sums, less = [plus(x[j], x[-j]) for j in half], [minus(x[j], x[-j]) for j in half]
    out = [(added([x[0][0], *(s[0] for s in sums)]), added([x[0][1], *(s[1] for s in sums)]))] * p
    most = 1 if p <= FIXED else 2
    for u in half:
        angles = [angle(u * j % p, p) if p <= FIXED else roots.angle(u * j % p * step) for j in half]
        cosines, sines = [c for c, _ in angles], [s if inverse else -s for _, s in angles]
        even = tuple(grouped(x[0][k], products(cosines, [s[k] for s in sums]), most) for k in (0, 1))
        re = -grouped(None, products(sines, [d[1] for d in less]), most)
        im = grouped(None, products(sines, [d[0] for d in less]), most)
        out[u], out[p - u] = (even[0] + re, even[1] + im), (even[0] - re, even[1] - im)
    return out
