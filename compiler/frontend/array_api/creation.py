"""Creation functions. `device` is "cpu" or None everywhere; what has no element type given is of f32 or i64."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np
from xdsl.dialects.builtin import f32, f64, i64

from ....dialects.nd import functions as F
from ....dialects.nd.array import Array
from ....dialects.nd.constant import iota
from ....dialects.nd.dims import Shape
from ....dialects.nd.promotion import as_dtype, fail, holds_arrays
from ....dialects.nd.promotion import asarray as as_array
from ....dialects.nd.types import c64, is_float


def asarray(x: Any, dtype: Any = None, *, device: Any = None, copy: bool | None = None) -> Array:
    """Anything as an array: numbers, lists, NumPy arrays, buffers become constants; arrays in a list are stacked.

    An array never changes, so that `copy=True` of one is itself; values become part of the program by a copy.
    """
    if isinstance(x, list | tuple) and holds_arrays(cast(Sequence[Any], x)):
        x = F.stack(cast(Sequence[Any], x))
    elif copy is False and not isinstance(x, Array):
        raise fail(f"expected copy=None or True for values that become a part of the program, found {copy}")
    return F.on_device(as_array(np.asarray(x) if isinstance(x, memoryview) else x, dtype), device)


array = asarray


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Array:
    """The data of another library's array as a constant."""
    if isinstance(x, Array):
        return F.on_device(x, device)
    if copy is False:
        raise BufferError("expected copy=None or True: the data become a part of the program, by a copy")
    return F.on_device(as_array(np.from_dlpack(x)), device)


def zeros(shape: Any, dtype: Any = None, *, device: Any = None) -> Array:
    """f32, if no type is given."""
    return F.on_device(F.zeros(shape, f32 if dtype is None else dtype), device)


def ones(shape: Any, dtype: Any = None, *, device: Any = None) -> Array:
    """f32, if no type is given."""
    return F.on_device(F.ones(shape, f32 if dtype is None else dtype), device)


def full(shape: Any, fill_value: Any, dtype: Any = None, *, device: Any = None) -> Array:
    """One value everywhere; its type, if none is given."""
    return F.on_device(F.broadcast_to(as_array(fill_value, dtype), F.shape_tuple(shape)), device)


def zeros_like(x: Any, dtype: Any = None, *, device: Any = None) -> Array:
    return full_like(x, 0, dtype, device=device)


def ones_like(x: Any, dtype: Any = None, *, device: Any = None) -> Array:
    return full_like(x, 1, dtype, device=device)


def full_like(x: Any, fill_value: Any, dtype: Any = None, *, device: Any = None) -> Array:
    x = as_array(x)
    return full(x.shape, fill_value, x.dtype if dtype is None else dtype, device=device)


empty, empty_like = zeros, zeros_like


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, *, device: Any = None) -> Array:
    """Numbers from `start` (0 if only one is given) up to `stop`: i64 of integers, f32 else."""
    if stop is None:
        start, stop = 0, start
    whole = not any(isinstance(v, float | np.floating) for v in (start, stop, step))
    if not step:
        raise fail("arange: expected a step other than 0, found 0")
    n = len(range(start, stop, step)) if whole else max(math.ceil((stop - start) / step), 0)
    wanted = as_dtype(dtype) if dtype is not None else i64 if whole else f32
    return F.on_device(F.convert(iota((n,), 0, i64 if whole else f64) * step + start, wanted), device)


def linspace(
    start: Any, stop: Any, num: int = 50, dtype: Any = None, endpoint: bool = True, *, device: Any = None
) -> Array:
    """`num` evenly spaced numbers, the last one `stop` if `endpoint`."""
    if dtype is not None:
        wanted = as_dtype(dtype)
    else:
        wanted = c64 if isinstance(start, complex) or isinstance(stop, complex) else f32
    values = cast(Any, np.linspace)(start, stop, num, endpoint)
    return F.on_device(F.convert(as_array(values if is_float(wanted) else np.floor(values)), wanted), device)


def eye(n_rows: int, n_cols: int | None = None, k: int = 0, dtype: Any = None, *, device: Any = None) -> Array:
    """Ones on the k-th diagonal, f32 if no type is given."""
    shape: Shape = (n_rows, n_rows if n_cols is None else n_cols)
    ones_ = F.equal(iota(shape, 1), iota(shape, 0) + k) if k else F.eye_mask(shape, [(0, 1)])
    return F.on_device(F.convert(ones_, f32 if dtype is None else dtype), device)


def tril(x: Any, k: int = 0) -> Array:
    """The lower triangle, up to the k-th diagonal; zeros elsewhere."""
    rows, columns, x = _places(x)
    return F.where(columns <= rows + k, x, F.zeros_like(x))


def triu(x: Any, k: int = 0) -> Array:
    """The upper triangle, from the k-th diagonal; zeros elsewhere."""
    rows, columns, x = _places(x)
    return F.where(columns >= rows + k, x, F.zeros_like(x))


def _places(x: Any) -> tuple[Array, Array, Array]:
    """The row and the column of each element, and x."""
    x = as_array(x)
    if x.ndim < 2:
        raise fail(f"expected matrices, which have at least two dimensions, found {x.type}")
    return iota(x.shape, x.ndim - 2), iota(x.shape, x.ndim - 1), x


def meshgrid(*arrays: Any, indexing: Literal["xy", "ij"] = "xy") -> tuple[Array, ...]:
    """Each vector's numbers as coordinates in a grid; "xy" has the second vector's along the first axis."""
    if indexing not in ("xy", "ij"):
        raise fail(f'expected an indexing of "xy" or "ij", found {indexing!r}')
    vectors = [as_array(x) for x in arrays]
    for v in vectors:
        if v.ndim != 1:
            raise fail(f"expected vectors for a grid, found {v.type}")
    axes = list(range(len(vectors)))
    if indexing == "xy":
        axes[:2] = axes[:2][::-1]
    shape: Shape = tuple(vectors[axes[k]].shape[0] for k in range(len(vectors)))
    return tuple(
        F.broadcast_to(F.reshape(v, tuple(v.shape[0] if d == axes[k] else 1 for d in range(len(shape)))), shape)
        for k, v in enumerate(vectors)
    )


__all__ = [
    "arange",
    "array",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "full",
    "full_like",
    "linspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tril",
    "triu",
    "zeros",
    "zeros_like",
]
