"""Conversion between all pairs of element types, compiled: every element of 8 and 16 bits, edges and a sample of wider.

What is expected comes from the values of the target type alone: the nearest of them, of two equally near the even one,
found in numbers of 64 bits of precision. So a conversion that rounds twice, or loses subnormals, is seen.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.dialects.nd.bits import REAL
from mlc.dialects.nd.selection import convert_elements, limits
from mlc.dialects.nd.types import NAMES, NUMPY, finfo, is_float, is_unsigned, kind_of, width
from sampling import sample
from xdsl.dialects.builtin import f4E2M1FN, f32, f64, i1
from xdsl.ir import Attribute

Np = np.ndarray[Any, Any]
RNG = np.random.default_rng(3)


@lru_cache(None)
def values(dtype: Attribute) -> Np:
    """Every element, or edges and a sample."""
    bits, kind = width(dtype), NUMPY[dtype]
    if dtype == i1:
        return np.array([False, True])
    if bits <= 8:
        codes = np.arange(1 << bits, dtype=np.uint8)
        return codes.view(kind) if bits == 8 or is_float(dtype) else wrapped(codes.astype(np.int64), dtype)
    if bits == 16:
        return np.arange(1 << 16, dtype=np.uint16).view(kind)
    return floats(kind) if is_float(dtype) else integers(dtype)


def integers(dtype: Attribute) -> Np:
    low, high = limits(dtype)
    edges = {low, high, 0, 1}
    for bits in range(64):
        for near in (-2, -1, 0, 1, 2, 3, 1 << max(bits - 9, 0), (1 << max(bits - 9, 0)) + 1, 3 << max(bits - 12, 0)):
            edges |= {(1 << bits) + near, -(1 << bits) + near}
    found = sorted(n for n in edges if low <= n <= high)
    sample = RNG.integers(low, high, 2000, dtype=NUMPY[dtype]) >> RNG.integers(
        0, width(dtype), 2000, dtype=NUMPY[dtype]
    )
    return np.concatenate([np.array(found, NUMPY[dtype]), sample])


def floats(kind: np.dtype[Any]) -> Np:
    """The numbers of all narrow types, what lies between two, and the neighbours of these; limits of integers."""
    narrow = [finite(t)[0].astype(np.float64) for t in REAL if is_float(t) and width(t) <= 16]
    some = np.concatenate([x[:: max(1, len(x) // 700)] for x in narrow] + [x[-40:] for x in narrow])
    middles = np.concatenate([(x[1:] + x[:-1])[:: max(1, len(x) // 700)] / 2 for x in narrow])
    ends = [float(n) for t in REAL if not is_float(t) for n in limits(t)]
    halves = np.arange(-300, 300) / 2
    exact = np.concatenate([some, middles, ends, halves]).astype(kind)
    tiny = np.array([0.0, 5e-324, 1e-310, 1e-46, 7e-46, 1e-45, 1e-40, 1e30, 3.4028235e38, 3.4028236e38, 1e39, 1e300])
    drawn = RNG.standard_normal(3000) * 10.0 ** RNG.uniform(-50, 40, 3000)
    with np.errstate(over="ignore", under="ignore"):
        whole = np.concatenate([exact, tiny.astype(kind), drawn.astype(kind), [np.inf, np.nan]]).astype(kind)
        near = np.concatenate([whole, np.nextafter(whole, kind.type(np.inf)), np.nextafter(whole, kind.type(-np.inf))])
    return np.concatenate([near, -near, nans(kind)])


def nans(kind: np.dtype[Any]) -> Np:
    """Of both signs, quiet and signalling, with their payload in the lowest bits, the highest, or all."""
    whole = np.dtype(f"u{kind.itemsize}")
    digits, bits = int(np.finfo(kind).nmant), 8 * kind.itemsize
    exponent = ((1 << (bits - 1 - digits)) - 1) << digits
    payloads = [1, 2, 1 << (digits - 2), 1 << (digits - 1), (1 << (digits - 1)) - 1, (1 << digits) - 1, 1 << 13]
    codes = [exponent | p for p in payloads]
    return np.array([*codes, *(c | 1 << (bits - 1) for c in codes)], whole).view(kind)


@lru_cache(None)
def finite(dtype: Attribute) -> tuple[Np, Np]:
    """The finite numbers that are not negative, ascending, and what a larger one becomes."""
    bits = width(dtype)
    codes = np.arange(1 << (bits - 1), dtype=np.uint8 if bits <= 8 else np.uint16).view(NUMPY[dtype])
    with np.errstate(invalid="ignore"):
        real = codes.astype(np.float64)
    good = np.isfinite(real)
    assert good[0] and np.diff(good.astype(int)).max() <= 0
    return real[good].astype(np.longdouble), codes


def nearest(x: Np, dtype: Attribute) -> Np:
    """Numbers as the nearest of a narrow float type."""
    table, codes = finite(dtype)
    beyond = 2 * table[-1] - table[-2]  # where the next number would be
    steps = np.concatenate([table, [beyond]])
    size = np.minimum(np.abs(x), beyond)
    at = np.clip(np.searchsorted(steps, size, side="right") - 1, 0, len(steps) - 2)
    low, high = size - steps[at], steps[at + 1] - size
    code = np.where((low > high) | ((low == high) & (at % 2 == 1)), at + 1, at)
    info = finfo(NUMPY[dtype])
    over = code == len(table)
    out = codes[np.minimum(code, len(codes) - 1)].astype(np.float64)
    has_infinity = np.isinf(np.float64(NUMPY[dtype].type(np.inf)))
    top = np.inf if has_infinity else float(info.max) if dtype == f4E2M1FN else np.nan
    out = np.where(over, top, out)
    out = np.copysign(out, np.signbit(x).astype(np.float64) * -2 + 1)
    out = np.where(np.isnan(x), 0 if dtype == f4E2M1FN else np.nan, out)
    return out.astype(NUMPY[dtype])


def wrapped(x: Np, to: Attribute) -> Np:
    """The low bits of integers, by Python's."""
    low, _ = limits(to)
    size = 1 << width(to)
    return np.array([(int(n) - low) % size + low for n in x], dtype=np.int64 if low else np.uint64).astype(NUMPY[to])


def expected(x: Np, of: Attribute, to: Attribute) -> Np:
    if of == to:
        return x
    wide = x.astype(np.int64).astype(np.longdouble) if of == i1 else exact(x, of)
    if to == i1:
        return wide != 0
    if is_float(to):
        if to in (f32, f64):
            with np.errstate(over="ignore", under="ignore"):
                return wide.astype(NUMPY[to])
        return nearest(wide, to)
    if not is_float(of):
        return wrapped(x, to)
    low, high = limits(to)
    inside = np.where(np.isnan(wide), 0, np.clip(np.trunc(wide), np.longdouble(low), np.longdouble(high)))
    return inside.astype(np.int64 if low else np.uint64).astype(NUMPY[to])


def exact(x: Np, of: Attribute) -> Np:
    if is_float(of):
        with np.errstate(invalid="ignore"):
            return (x if of == f64 else x.astype(np.float32)).astype(np.longdouble)
    return (x.astype(np.int64) if not is_unsigned(of) else x.astype(np.uint64)).astype(np.longdouble)


def compare(got: Np, want: Np, label: str) -> None:
    """The same numbers, zeros of the same sign, NaN where one is expected."""
    assert got.dtype == want.dtype
    if kind_of(want.dtype) != "f":
        wrong = got != want
    else:
        with np.errstate(invalid="ignore"):
            a, b = (v if v.dtype == np.float64 else v.astype(np.float32) for v in (got, want))
        wrong = ~((a == b) & (np.signbit(a) == np.signbit(b)) | (np.isnan(a) & np.isnan(b)))
    assert not wrong.any(), f"{label}: {np.flatnonzero(wrong)[:5]}: {got[wrong][:5]}, expected {want[wrong][:5]}"


@pytest.mark.parametrize("of", sample(REAL, 10, "conversions"), ids=str)
def test_all_pairs(of: Attribute) -> None:
    x = values(of)
    targets = [t for t in REAL if t != of]
    results = mlc.jit(lambda v: tuple(mnp.astype(v, NAMES[t]) for t in targets))(x)
    for to, got in zip(targets, results, strict=True):
        want = expected(x, of, to)
        compare(got, want, f"{of} to {to}, compiled")
        compare(convert_elements(x, NUMPY[to]), want, f"{of} to {to}, reference")
