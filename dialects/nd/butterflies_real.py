"""The passes of `butterflies.py` for real numbers on one side, which keep half of the results.

Of an inner length ido these are a real one, pairs of real and imaginary parts, and for even ido a real one at the end:
`Half`. Passes to results go from the last factor to the first, those from results the other way.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import functions as F
from .array import Array
from .butterflies import ROOT_HALF, Pair, Roots, added, angle, grouped, products, real_factors, row, turned

ROOT_TWO = 1.4142135623730951


class Half(NamedTuple):
    """A line of half of the results: the real one in front, pairs behind it, the real one at the end of an even line.

    Lines of odd number lie backwards: the pairs from the end, the real one last, the other one first.
    """

    first: Array
    pairs: Pair | None
    last: Array | None


def taken(x: Array, backwards: int) -> Half:
    """A line's parts, in order."""
    ido = int(x.shape[-1])  # pyright: ignore[reportArgumentType]
    m = (ido - 1) // 2

    def cut(start: int, stop: int, step: int = 1) -> Array:
        return F.index(x, (..., slice(start, stop, step)))

    front, end = cut(0, 1), cut(ido - 1, ido)
    if not backwards:
        pairs = (cut(1, 2 * m, 2), cut(2, 2 * m + 1, 2)) if m else None
        return Half(front, pairs, None if ido % 2 else end)
    # pair k = 1 .. m lies at ido - 2k - 1 and ido - 2k
    at = ido - 2 * m
    pairs = (F.flip(cut(at - 1, ido - 2, 2), -1), F.flip(cut(at, ido - 1, 2), -1)) if m else None
    return Half(end, pairs, None if ido % 2 else front)


def joined(x: Half, backwards: int) -> Array:
    """The line of these parts."""
    middle: list[Array] = []
    if x.pairs is not None:
        both = F.stack([F.flip(v, -1) for v in x.pairs] if backwards else x.pairs, -1)
        middle = [F.reshape(both, (*both.shape[:-2], 2 * int(both.shape[-2])))]  # pyright: ignore[reportArgumentType]
    last = [] if x.last is None else [x.last]
    line = [*last, *middle, x.first] if backwards else [x.first, *middle, *last]
    return F.concatenate(line, -1) if len(line) > 1 else line[0]


def turned_half(x: Half, roots: Roots, power: int, inverse: bool) -> Half:
    """Its pairs times powers of a root."""
    if x.pairs is None:
        return x
    count = int(x.pairs[0].shape[-1])  # pyright: ignore[reportArgumentType]
    return x._replace(pairs=turned(x.pairs, roots.table([power * i for i in range(1, count + 1)]), inverse))


def forward_passes(x: Array, n: int) -> Pair:
    """The first n // 2 + 1 results of n real numbers."""
    lead, l1, roots = x.shape[:-1], n, Roots(n, x.dtype)
    for p in reversed(real_factors(n)):
        ido, l1 = n // l1, l1 // p
        lines = F.reshape(x, (*lead, p, l1, ido))
        rows = [F.index(lines, (..., j, slice(None), slice(None))) for j in range(p)]
        if p in FORWARD:
            halves = [taken(r, 0) for r in rows]
            halves = [turned_half(h, roots, j * l1, False) if j else h for j, h in enumerate(halves)]
            rows = [joined(h, j % 2) for j, h in enumerate(FORWARD[p](*halves))]
        else:
            rows = odd_forward(rows, roots, n // p)
        x = F.reshape(F.stack(rows, -2), (*lead, n))
    found = taken(x, 0)
    re, im = [found.first], [F.zeros_like(found.first)]
    if found.pairs is not None:
        re, im = [*re, found.pairs[0]], [*im, found.pairs[1]]
    if found.last is not None:
        re, im = [*re, found.last], [*im, F.zeros_like(found.last)]
    return F.concatenate(re, -1), F.concatenate(im, -1)


def backward_passes(x: Pair, n: int, scale: float) -> Array:
    """n real numbers of their n // 2 + 1 first results, times `scale`."""
    re, im = x
    lead, l1, roots, m = re.shape[:-1], 1, Roots(n, re.dtype), (n - 1) // 2

    def cut(v: Array, start: int, stop: int) -> Array:
        return F.index(v, (..., slice(start, stop)))

    pairs = (cut(re, 1, m + 1), cut(im, 1, m + 1)) if m else None
    y = joined(Half(cut(re, 0, 1), pairs, None if n % 2 else cut(re, m + 1, m + 2)), 0)
    for p in real_factors(n):
        lines = F.reshape(y, (*lead, l1, p, n // (l1 * p)))
        rows = [row(lines, j) for j in range(p)]
        if p in BACKWARD:
            halves = BACKWARD[p](*(taken(r, j % 2) for j, r in enumerate(rows)))
            rows = [joined(turned_half(h, roots, j * l1, True) if j else h, 0) for j, h in enumerate(halves)]
        else:
            rows = odd_backward(rows, roots, n // p)
        y = F.reshape(F.stack(rows, -3), (*lead, n))
        l1 *= p
    return y if scale == 1 else y * scale


def forward_2(a: Half, b: Half) -> list[Half]:
    pairs: list[Any] = [None, None]
    if a.pairs and b.pairs:
        (ar, ai), (br, bi) = a.pairs, b.pairs
        pairs = [(ar + br, bi + ai), (ar - br, bi - ai)]
    return [Half(a.first + b.first, pairs[0], a.last), Half(a.first - b.first, pairs[1], negative(b.last))]


def negative(x: Array | None) -> Array | None:
    return None if x is None else -x


def backward_2(a: Half, b: Half) -> list[Half]:
    pairs: list[Any] = [None, None]
    if a.pairs and b.pairs:
        (ar, ai), (br, bi) = a.pairs, b.pairs
        pairs = [(ar + br, ai - bi), (ar - br, ai + bi)]
    last = [None, None] if a.last is None or b.last is None else [2 * a.last, -2 * b.last]
    return [Half(a.first + b.first, pairs[0], last[0]), Half(a.first - b.first, pairs[1], last[1])]


SINE = 0.8660254037844386
"""Of pi / 3."""


def forward_3(a: Half, b: Half, c: Half) -> list[Half]:
    both = b.first + c.first
    firsts = [a.first + both, a.first - 0.5 * both, SINE * (c.first - b.first)]
    pairs: list[Any] = [None] * 3
    if a.pairs and b.pairs and c.pairs:
        (ar, ai), (br, bi), (cr, ci) = a.pairs, b.pairs, c.pairs
        sr, si = br + cr, bi + ci
        tr, ti = ar - 0.5 * sr, ai - 0.5 * si
        ur, ui = SINE * (bi - ci), SINE * (cr - br)
        pairs = [(ar + sr, ai + si), (tr - ur, ui - ti), (tr + ur, ui + ti)]
    return [Half(f, p, None) for f, p in zip(firsts, pairs, strict=True)]


def backward_3(a: Half, b: Half, c: Half) -> list[Half]:
    twice = 2 * b.first
    even, other = a.first - 0.5 * twice, 2 * SINE * c.first
    firsts = [a.first + twice, even - other, even + other]
    pairs: list[Any] = [None] * 3
    if a.pairs and b.pairs and c.pairs:
        (ar, ai), (br, bi), (cr, ci) = a.pairs, b.pairs, c.pairs
        sr, si = cr + br, ci - bi
        er, ei = ar - 0.5 * sr, ai - 0.5 * si
        ur, ui = SINE * (cr - br), SINE * (ci + bi)
        pairs = [(ar + sr, ai + si), (er - ui, ei + ur), (er + ui, ei - ur)]
    return [Half(f, p, None) for f, p in zip(firsts, pairs, strict=True)]


def forward_4(a: Half, b: Half, c: Half, d: Half) -> list[Half]:
    odd_, even = d.first + b.first, a.first + c.first
    firsts = [even + odd_, a.first - c.first, d.first - b.first, even - odd_]
    pairs: list[Any] = [None] * 4
    last: list[Any] = [None] * 4
    if a.last is not None and b.last is not None and c.last is not None and d.last is not None:
        i, r = -ROOT_HALF * (b.last + d.last), ROOT_HALF * (b.last - d.last)
        last = [a.last + r, i - c.last, a.last - r, i + c.last]
    if a.pairs and b.pairs and c.pairs and d.pairs:
        (ar, ai), (br, bi), (cr, ci), (dr, di) = a.pairs, b.pairs, c.pairs, d.pairs
        r1, r4, i1, i4 = dr + br, dr - br, bi + di, bi - di
        r2, r3, i2, i3 = ar + cr, ar - cr, ai + ci, ai - ci
        pairs = [(r2 + r1, i1 + i2), (r3 - i4, r4 - i3), (r3 + i4, r4 + i3), (r2 - r1, i1 - i2)]
    return [Half(*parts) for parts in zip(firsts, pairs, last, strict=True)]


def backward_4(a: Half, b: Half, c: Half, d: Half) -> list[Half]:
    even, less, r3, r4 = a.first + d.first, a.first - d.first, 2 * b.first, 2 * c.first
    firsts = [even + r3, less - r4, even - r3, less + r4]
    pairs: list[Any] = [None] * 4
    last: list[Any] = [None] * 4
    if a.last is not None and b.last is not None and c.last is not None and d.last is not None:
        i1, i2, r2, r1 = d.last + b.last, d.last - b.last, a.last + c.last, a.last - c.last
        last = [r2 + r2, ROOT_TWO * (r1 - i1), i2 + i2, -ROOT_TWO * (r1 + i1)]
    if a.pairs and b.pairs and c.pairs and d.pairs:
        (ar, ai), (br, bi), (cr, ci), (dr, di) = a.pairs, b.pairs, c.pairs, d.pairs
        r2, r1, i1, i2 = ar + dr, ar - dr, ai + di, ai - di
        r3, i4, r4, i3 = cr + br, cr - br, ci + bi, ci - bi
        pairs = [(r2 + r3, i2 + i3), (r1 - r4, i1 + i4), (r2 - r3, i2 - i3), (r1 + r4, i1 - i4)]
    return [Half(*parts) for parts in zip(firsts, pairs, last, strict=True)]


FORWARD: dict[int, Any] = {2: forward_2, 3: forward_3, 4: forward_4}
BACKWARD: dict[int, Any] = {2: backward_2, 3: backward_3, 4: backward_4}
"""Passes from and to real numbers; odd primes above 3 have the last factor, whose lines are numbers."""


def real_angle(k: int, p: int, roots: Roots, step: int) -> tuple[float, float]:
    return angle(k % p, p) if p <= 5 else roots.angle(k % p * step)


def odd_forward(x: list[Array], roots: Roots, step: int) -> list[Array]:
    """The real result, then real and imaginary parts of the others."""
    p = len(x)
    half = range(1, p // 2 + 1)
    sums, less = [x[j] + x[-j] for j in half], [x[-j] - x[j] for j in half]
    out = [added([x[0], *sums])]
    for u in half:
        angles = [real_angle(u * j, p, roots, step) for j in half]
        out.append(grouped(x[0], products([c for c, _ in angles], sums), 4))
        out.append(grouped(None, products([s for _, s in angles], less), 4))
    return out


def odd_backward(x: list[Array], roots: Roots, step: int) -> list[Array]:
    p = len(x)
    half = range(1, p // 2 + 1)
    re, im = [2 * x[2 * j - 1] for j in half], [2 * x[2 * j] for j in half]
    out = [added([x[0], *re])] * p
    for u in half:
        angles = [real_angle(u * j, p, roots, step) for j in half]
        even = grouped(x[0], products([c for c, _ in angles], re), 4)
        other = grouped(None, products([s for _, s in angles], im), 4)
        out[u], out[p - u] = even - other, even + other
    return out
