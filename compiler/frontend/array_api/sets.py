"""Set functions. The elements that are there once are as many as the values say: these functions need values, which
`mlc.eager()` and NumPy arrays have; in a trace they are refused."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ....dialects.nd import functions as F
from ....dialects.nd import ordered
from ....dialects.nd.array import Array
from ....dialects.nd.masks import known
from ....dialects.nd.promotion import asarray, promote


class UniqueAll(NamedTuple):
    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCounts(NamedTuple):
    values: Array
    counts: Array


class UniqueInverse(NamedTuple):
    values: Array
    inverse_indices: Array


def unique_all(x: Any) -> UniqueAll:
    """The different elements in order, where each stands first, which of them each element is, how often each occurs.
    Every NaN is different."""
    return UniqueAll(*_unique("unique_all", x))


def unique_counts(x: Any) -> UniqueCounts:
    values, _, _, counts = _unique("unique_counts", x)
    return UniqueCounts(values, counts)


def unique_inverse(x: Any) -> UniqueInverse:
    values, _, inverse, _ = _unique("unique_inverse", x)
    return UniqueInverse(values, inverse)


def unique_values(x: Any) -> Array:
    return _unique("unique_values", x)[0]


unique = unique_values


def _unique(name: str, x: Any) -> tuple[Array, ...]:
    found = known(x)
    if found is None:
        raise ordered.size_of_values(name)
    values, first, inverse, counts = np.unique(
        found, return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )
    return asarray(values), *(asarray(np.asarray(i, np.int64)) for i in (first, inverse.reshape(found.shape), counts))


def isin(x: Any, y: Any, invert: bool = False) -> Array:
    """Is each element of x among those of y (or not, if `invert`)?"""
    dtype = promote(x, y)[0].dtype if np.ndim(x) == np.ndim(y) == 0 else None
    x, y = asarray(x, dtype), asarray(y, dtype)
    same = F.expand_dims(x, -1) == F.reshape(y, (y.size,))
    found = F.any_(same, -1)
    return F.bitwise_not(found) if invert else found


__all__ = ["isin", "unique", "unique_all", "unique_counts", "unique_inverse", "unique_values"]
