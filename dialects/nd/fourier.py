"""How Fourier transforms are computed: short ones by butterflies (`butterflies.py`), others by contractions with
matrices of roots, between them multiplications by roots.

    n = a b:  j = b j1 + j2, k = k1 + a k2
    X[k1 + a k2] = sum_j2 w_b^(j2 k2)  ( w_n^(j2 k1)  sum_j1 w_a^(j1 k1) x[b j1 + j2] )

(J. Cooley and J. Tukey, 1965), with few factors, each up to `RADIX`. A large prime length becomes a cyclic convolution
of a power of two (L. Bluestein, 1970). Real numbers of an even length are transformed as half as many complex ones.
Values are pairs of real arrays; sums are over both parts, of one contraction with real matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from . import butterflies, butterflies_real
from . import functions as F
from .array import Array
from .constant import iota
from .promotion import asarray
from .types import NUMPY

RADIX = 32
"""The largest factor of a length; prime ones may be larger."""

DIRECT, PRIME = 64, 128
"""Lengths of transforms that are one contraction, and prime factors that are."""

Parts = Sequence[Array]
"""The real and the imaginary part; the latter may lack."""

Np = np.ndarray[Any, np.dtype[Any]]


def roots(n: int, powers: Np, inverse: bool = False) -> Np:
    """exp(-2 pi i p / n), conjugated for `inverse`, from the cosine and sine of at most pi / 4."""
    p = np.remainder(powers, n)
    quarter = (4 * p + n // 2) // n
    angle = (4 * p - quarter * n) * (np.pi / (2 * n))
    out = (np.cos(angle) - 1j * np.sin(angle)) * np.array([1, -1j, -1, 1j])[quarter % 4]
    return out.conj() if inverse else out


def root_matrix(n: int, rows: int, inverse: bool) -> Np:
    """w^(jk) of the first k."""
    return roots(n, np.outer(np.arange(rows), np.arange(n)), inverse)


def as_real(m: Np) -> Np:
    """[d, c, ...]: how the real and imaginary part c make the part d of a product with m."""
    re, im = np.real(m), np.imag(m)
    return np.stack([np.stack([re, -im]), np.stack([im, re])])


def known(x: Np, like: Array) -> Array:
    return asarray(np.ascontiguousarray(x, NUMPY[like.dtype]))


def prime_factors(n: int) -> list[int]:
    out: list[int] = []
    p = 2
    while p * p <= n:
        while n % p == 0:
            out.append(p)
            n //= p
        p += 1
    return out + [n] * (n > 1)


def factors(n: int) -> list[int]:
    """As few factors as there are with none above `RADIX`, large primes aside, of about one size; the largest last."""
    if n <= DIRECT:
        return [n]
    primes = prime_factors(n)[::-1]
    for count in range(1, len(primes) + 1):
        groups = [1] * count
        for p in primes:
            groups[groups.index(min(groups))] *= p
        if all(g <= RADIX or g in primes for g in groups):
            return sorted(groups)
    return sorted(primes)


def direct(n: int) -> bool:
    """Is the transform one contraction?"""
    return n <= DIRECT or (n <= PRIME and len(prime_factors(n)) == 1)


# Complex transforms by contractions. A pair is stacked to [2, ..., n]; without an imaginary part, to [1, ..., n].


def along(parts: Parts, axis: int, n: int, inverse: bool, scale: float) -> list[Array]:
    """The transform of one dimension, times `scale`."""
    x = [F.moveaxis(p, axis, -1) for p in parts]
    if butterflies.short(n):
        y = butterflies.complex_passes((x[0], x[1]), n, inverse, scale)
    else:
        whole = transformed(F.stack(x), n, inverse, scale)
        y = [whole[0], whole[1]]
    return [F.moveaxis(p, -1, axis) for p in y]


def transformed(x: Array, n: int, inverse: bool, scale: float = 1.0) -> Array:
    """The transform of the last dimension of a stacked value."""
    if direct(n):
        m = as_real(root_matrix(n, n, inverse) * scale)[:, : int(x.shape[0])]  # pyright: ignore[reportArgumentType]
        return F.einsum("c...j,dckj->d...k", x, known(m, x))
    a, *others = factors(n)
    if not others:
        return bluestein(x, n, inverse, scale)
    b = prod(others)
    apart = F.swapaxes(F.reshape(x, (*x.shape[:-1], a, b)), -1, -2)  # j1 last
    first = transformed(apart, a, inverse)
    turned = times(first, roots(n, np.outer(np.arange(b), np.arange(a)), inverse))
    second = transformed(F.swapaxes(turned, -1, -2), b, inverse, scale)  # [k1, k2]
    return F.reshape(F.swapaxes(second, -1, -2), (2, *x.shape[1:-1], n))


def times(x: Array, m: Np) -> Array:
    """A stacked value times constants, which broadcast from the right."""
    shape = x.shape[1:]
    re, im = (F.broadcast_to(known(v, x), shape) for v in (np.real(m), np.imag(m)))
    if x.shape[0] == 1:
        return F.stack([x[0] * re, x[0] * im])
    return F.stack([x[0] * re - x[1] * im, x[0] * im + x[1] * re])


def bluestein(x: Array, n: int, inverse: bool, scale: float) -> Array:
    """jk = (j^2 + k^2 - (k - j)^2) / 2: X[k] = u[k] sum_j (x[j] u[j]) conj(u)[k - j], u[j] = w^(j^2 / 2)."""
    m = 1 << (2 * n - 2).bit_length()
    u = roots(2 * n, np.arange(n) ** 2, inverse)
    wave = np.zeros(m, np.complex128)
    wave[:n], wave[m - n + 1 :] = u.conj(), u[:0:-1].conj()
    more = [(0, 0)] * (x.ndim - 1) + [(0, m - n)]
    spectrum = transformed(F.pad(times(x, u), more), m, False)
    product = transformed(times(spectrum, np.fft.fft(wave)), m, True, 1 / m)
    return times(F.index(product, (..., slice(0, n))), u * scale)


# Real numbers on one side, along the last dimension.


def real_to_complex(x: Array, n: int) -> list[Array]:
    """The first n // 2 + 1 results."""
    half = n // 2 + 1
    if butterflies.short(n, real=True):
        return list(butterflies_real.forward_passes(x, n))
    if direct(n):
        m = root_matrix(n, half, False)
        y = F.einsum("...j,dkj->d...k", x, known(np.stack([np.real(m), np.imag(m)]), x))
        return [y[0], y[1]]
    if n % 2:
        y = transformed(F.stack([x]), n, False)
        return [F.index(y[k], (..., slice(0, half))) for k in range(2)]
    # z[j] = x[2j] + i x[2j + 1]; X[k] = (Z[k] + conj(Z[-k])) / 2 - i w^k (Z[k] - conj(Z[-k])) / 2
    pairs = F.reshape(x, (*x.shape[:-1], n // 2, 2))
    z = transformed(F.moveaxis(pairs, -1, 0), n // 2, False)
    z = F.concatenate([z, F.index(z, (..., slice(0, 1)))], -1)
    re, im, mirrored_re, mirrored_im = z[0], z[1], F.flip(z[0], -1), F.flip(z[1], -1)
    odd = times(F.stack([im + mirrored_im, mirrored_re - re]), 0.5 * roots(n, np.arange(half)))
    return [0.5 * (re + mirrored_re) + odd[0], 0.5 * (im - mirrored_im) + odd[1]]


def complex_to_real(parts: Parts, n: int, scale: float) -> Array:
    """n real numbers from their n // 2 + 1 first results, times `scale`."""
    re, im = parts
    half = n // 2 + 1
    if butterflies.short(n, real=True):
        return butterflies_real.backward_passes((re, im), n, scale)
    if direct(n):
        counts = np.array([1 if k == 0 or 2 * k == n else 2 for k in range(half)]) * scale
        m = root_matrix(n, half, True) * counts[:, None]
        real = np.array([k == 0 or 2 * k == n for k in range(half)])
        m = np.stack([np.real(m), np.where(real[:, None], 0, -np.imag(m))])
        return F.einsum("c...k,ckj->...j", F.stack([re, im]), known(m, re))
    if n % 2:
        mirrored = [F.flip(F.index(p, (..., slice(1, None))), -1) for p in parts]
        whole = [F.concatenate([re, mirrored[0]], -1), F.concatenate([im, -mirrored[1]], -1)]
        return transformed(F.stack(whole), n, True, scale)[0]
    # Z[k] = (X[k] + conj(X[-k])) / 2 + i conj(w)^k (X[k] - conj(X[-k])) / 2, z[j] = x[2j] + i x[2j + 1]
    at = F.broadcast_to(iota((half,), 0), im.shape)
    im = F.where((at > 0) & (at < n // 2), im, 0.0)
    inner = (..., slice(0, n // 2))
    mirrored_re, mirrored_im = (F.index(F.flip(p, -1), inner) for p in (re, im))
    re, im = F.index(re, inner), F.index(im, inner)
    odd = times(F.stack([re - mirrored_re, im + mirrored_im]), 0.5j * roots(n, np.arange(n // 2), True))
    z = F.stack([0.5 * (re + mirrored_re) + odd[0], 0.5 * (im - mirrored_im) + odd[1]])
    y = transformed(z, n // 2, True, 2 * scale)
    return F.reshape(F.moveaxis(y, 0, -1), (*re.shape[:-1], n))
