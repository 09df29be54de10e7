"""Masks as indices: `x[mask]` has as many elements as the mask is true, so that the mask's values must be known.

They are in `mlc.eager()`, and of NumPy arrays and lists everywhere. A mask stands for the positions where it is true,
one index for each of its dimensions, as NumPy's does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import i1

from ..errors import IndexProblem
from .array import Array, concrete
from .dims import Shape, show
from .promotion import fail

MASK = (
    "expected positions as integers, found a mask: how many it selects is not known while the program is built; use "
    "mlc.numpy.where(mask, x, other)"
)


def known(x: Any) -> np.ndarray[Any, Any] | None:
    """The values of an array, if they are known while the program is built."""
    return concrete[0](x.value) if isinstance(x, Array) else np.asarray(x)


def is_mask(key: Any) -> bool:
    if isinstance(key, Array):
        return key.dtype == i1
    if isinstance(key, np.ndarray | list):
        return np.asarray(cast(Any, key)).dtype == bool
    return isinstance(key, bool | np.bool_)


def scalar_mask(key: Any) -> bool | None:
    """The truth of a mask without dimensions, which adds a dimension of size 1 or 0 in front; None of other keys."""
    if not is_mask(key) or _dimensions(key):
        return None
    mask = known(key)
    if mask is None:
        raise fail(MASK)
    return bool(mask)


def without_masks(keys: Sequence[Any], shape: Shape) -> list[Any]:
    """The keys of an array of this shape with positions in the place of masks."""
    out: list[Any] = []
    used = sum(_dimensions(k) for k in keys)
    at = 0
    for k in keys:
        if k is Ellipsis:
            at = len(shape) - used + at
        if not is_mask(k):
            out.append(k)
            at += _dimensions(k)
            continue
        mask = known(k)
        if mask is None:
            raise fail(MASK)
        own = shape[at : at + mask.ndim]
        at += mask.ndim
        if len(own) < mask.ndim or any(d != n and n for d, n in zip(own, mask.shape, strict=True)):
            raise fail(f"expected a mask with the sizes of {show(own)}, found {list(mask.shape)}", IndexProblem)
        if not mask.ndim:
            raise fail("expected a mask without dimensions alone in an index, found one beside others", IndexProblem)
        out += np.nonzero(mask)
    return out


def _dimensions(key: Any) -> int:
    """How many dimensions of the array a key takes."""
    if key is None or key is Ellipsis:
        return 0
    if not is_mask(key):
        return 1
    return key.ndim if isinstance(key, Array) else np.ndim(key)
