"""Sorting functions. All are stable; NaN is last, also where the order descends."""

from __future__ import annotations

from typing import Any

from ....dialects.nd import ordered
from ....dialects.nd.array import Array


def sort(x: Any, axis: int | None = -1, descending: bool = False, stable: bool = True) -> Array:
    """In order along an axis (None: of the flattened array)."""
    return ordered.sort(x, axis, descending)


def argsort(x: Any, axis: int | None = -1, descending: bool = False, stable: bool = True) -> Array:
    """The positions, i64, that put an axis in order."""
    return ordered.argsort(x, axis, descending)


def top_k(x: Any, k: int, axis: int = -1) -> tuple[Array, Array]:
    """The k largest elements along an axis, in descending order, and their positions."""
    return ordered.top_k(x, k, axis)


__all__ = ["argsort", "sort", "top_k"]
