"""What the checks of StableHLO's self-checking programs mean, as its interpreter evaluates them.

    expect_eq          equal elements: -0 equals 0, and NaN stands where NaN is expected
    expect_close       at most `most` units in the last place apart (3 for a custom call), counted as representable
                       numbers from one to the other; of what is not finite, equal or both NaN
    expect_almost_eq   at most `tolerance` apart (1e-3 for a custom call, 1e-4 for an op of the check dialect), of one
                       sign unless equal; of what is not finite, equal or both NaN

A complex number is compared part by part. Unlike `assert_matches`, which derives what an op may err by, these bounds
are those that the programs' authors chose.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from ..dialects.nd.types import kind_of

Array = np.ndarray[Any, np.dtype[Any]]

FAR = np.iinfo(np.uint64).max
"""The distance between a finite number and one that is not."""


def expect_eq(got: Array, want: Array) -> str | None:
    """What differs, or None."""
    return _alike(got, want) or _first(got, want, _equal(got, want))


def expect_close(got: Array, want: Array, most: int = 3, least: int = 0) -> str | None:
    """What is further apart than `most` units in the last place, or nearer than `least`; or None."""
    if (unlike := _alike(got, want)) is not None or kind_of(want.dtype) != "f":
        return unlike or _first(got, want, _equal(got, want))
    apart = ulps_apart(got, want)
    return _first(got, want, (apart <= most) & (apart >= least), f", allowed {most} ulp", apart)


def expect_almost_eq(got: Array, want: Array, tolerance: float) -> str | None:
    """What is further apart than `tolerance`, or None."""
    if (unlike := _alike(got, want)) is not None or kind_of(want.dtype) != "f":
        return unlike or _first(got, want, _equal(got, want))
    with np.errstate(all="ignore"):
        near = np.abs(got.astype(np.float64) - want.astype(np.float64)) <= tolerance
    finite = np.isfinite(got) & np.isfinite(want) & (np.signbit(got) == np.signbit(want))
    return _first(got, want, _equal(got, want) | (near & finite), f", allowed {tolerance:g}")


def ulps_apart(a: Array, b: Array) -> Array:
    """How many steps from one representable number to the next lie between two, as uint64."""
    with np.errstate(all="ignore"):
        finite, nan = np.isfinite(a) & np.isfinite(b), np.isnan(a) & np.isnan(b)
    unsigned = np.dtype(f"u{a.dtype.itemsize}")
    bits = [np.ascontiguousarray(x).view(unsigned).reshape(x.shape) for x in (a, b)]
    low = unsigned.type((1 << (8 * unsigned.itemsize - 1)) - 1)
    i, j = (cast(Array, x & low).astype(np.uint64) for x in bits)
    steps = np.where(np.signbit(a) == np.signbit(b), np.maximum(i, j) - np.minimum(i, j), np.add(i, j))
    return np.where(finite, steps, np.where(nan | (bits[0] == bits[1]), np.uint64(0), np.uint64(FAR)))


def parts(got: Array, want: Array) -> list[tuple[str, Array, Array]]:
    """The real pairs to compare: complex arrays as their two parts, named for messages."""
    if want.dtype.kind != "c" or got.dtype.kind != "c":
        return [("", got, want)]
    return [("real part: ", np.real(got), np.real(want)), ("imaginary part: ", np.imag(got), np.imag(want))]


def _alike(got: Array, want: Array) -> str | None:
    if got.dtype != want.dtype:
        return f"expected elements of {want.dtype}, got {got.dtype}"
    if got.shape != want.shape:
        return f"expected shape {list(want.shape)}, got {list(got.shape)}"
    return None


def _equal(got: Array, want: Array) -> Array:
    if kind_of(want.dtype) != "f":
        return np.asarray(got == want)
    return np.asarray((got == want) | (np.isnan(got) & np.isnan(want)))


def _first(got: Array, want: Array, ok: Array, allowed: str = "", apart: Array | None = None) -> str | None:
    """The first place where the arrays do not agree, or None."""
    if ok.all():
        return None
    wrong = np.argwhere(~ok)
    at = tuple(int(i) for i in wrong[0])
    steps = "" if apart is None or apart[at] == FAR else f", {int(apart[at])} ulp apart"
    text = f"at {list(at)}: got {got[at]!s}, want {want[at]!s}{steps}{allowed}"
    return f"{text} ({len(wrong)} of {want.size} elements differ)"
