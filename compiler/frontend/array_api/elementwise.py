"""Elementwise functions that are more than one of the array language."""

from __future__ import annotations

from math import pi
from typing import Any

from ....dialects.nd import functions as F
from ....dialects.nd.array import Array
from ....dialects.nd.promotion import asarray, numeric
from ....dialects.nd.types import is_complex, is_float


def clip(x: Any, min: Any = None, max: Any = None) -> Array:
    """min(max(x, low), high); NaN where any of them is."""
    return F.clip(x, min, max)


def nextafter(x: Any, y: Any) -> Array:
    """The neighbour of x in the direction of y, among the numbers of the type."""
    from ....dialects.nd import special_functions

    return special_functions.next_after(x, y)


def square(x: Any) -> Array:
    x = asarray(x)
    return x * x


def reciprocal(x: Any) -> Array:
    """1 / x; of integers in f32."""
    return F.true_divide(1, asarray(x))


def positive(x: Any) -> Array:
    return numeric(asarray(x))


def conj(x: Any) -> Array:
    """The complex conjugate; a real number is its own."""
    return F.conj(x)


def real(x: Any) -> Array:
    """The real part; all of a real number."""
    return F.real(x)


def imag(x: Any) -> Array:
    """The imaginary part; 0 of a real number."""
    return F.imag(x)


def divmod(x: Any, y: Any) -> tuple[Array, Array]:
    return F.floor_divide(x, y), F.remainder(x, y)


def round(x: Any, decimals: int = 0) -> Array:
    """To `decimals` places, of two equally near numbers the even one; of complex numbers each part."""
    x = asarray(x)
    if is_complex(x.type):
        return F.complex_(round(F.real(x), decimals), round(F.imag(x), decimals))
    if not decimals or (decimals > 0 and not is_float(x.type)):
        return F.round_(x)
    scale = 10.0 ** (decimals if decimals > 0 else -decimals)
    whole = F.round_(x * scale if decimals > 0 else x / scale)
    return F.convert(whole / scale if decimals > 0 else whole * scale, x.dtype)


def deg2rad(x: Any) -> Array:
    """Degrees as radians."""
    return F.floats(x) * (pi / 180)


def rad2deg(x: Any) -> Array:
    """Radians as degrees."""
    return F.floats(x) * (180 / pi)


radians, degrees = deg2rad, rad2deg

__all__ = [
    "clip",
    "conj",
    "deg2rad",
    "degrees",
    "divmod",
    "imag",
    "nextafter",
    "positive",
    "rad2deg",
    "radians",
    "real",
    "reciprocal",
    "round",
    "square",
]
