"""Operands of the array language: Python numbers, NumPy arrays and `Array`s of different types and shapes made alike.

Python numbers are weak: they take the other side's element type (a float beside integers makes them f32). Of two
arrays the wider type of one kind wins, a float over an integer, an integer over i1. Shapes broadcast as NumPy's, by
explicit ops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import f32, f64, i1, i32, i64
from xdsl.ir import Attribute

from ..errors import CompileError
from .array import Array
from .constant import constant, full
from .dims import Shape, show
from .movement import broadcast_to
from .op import here
from .resource import LARGE, resource
from .selection import convert
from .types import DTYPE, INTEGER, dtype_of, is_float, tensor

ORDER = (i1, i32, i64, f32, f64)


def fail(message: str) -> CompileError:
    return CompileError(message, here())


def as_dtype(dtype: Any) -> Attribute:
    """An element type from its NumPy name or dtype, a Python type, or itself."""
    if isinstance(dtype, Attribute):
        return dtype
    python: dict[Any, Attribute] = {float: f32, int: i64, bool: i1}
    if dtype in python:
        return python[dtype]
    try:
        return DTYPE[np.dtype(dtype)]
    except (TypeError, KeyError):
        raise fail(f"expected float32, float64, int32, int64 or bool as element type, found {dtype}") from None


def weak(x: Any) -> bool:
    return isinstance(x, bool | int | float)


def asarray(x: Any, dtype: Any = None) -> Array:
    """Anything as an `Array`; a Python float is f32, an int i64."""
    if not isinstance(x, Array):
        if weak(x):
            return full(
                x, tensor((), as_dtype(dtype if dtype is not None else type(x) if type(x) in (bool, int) else float))
            )
        x = as_constant(x)
    return x if dtype is None else convert(x, as_dtype(dtype))


def holds_arrays(xs: Sequence[Any]) -> bool:
    return any(isinstance(x, Array) for x in xs)


def as_constant(x: Any) -> Array:
    listed = isinstance(x, list | tuple)
    if listed and holds_arrays(cast(Sequence[Any], x)):
        raise fail("expected numbers, found a list of traced values; use mlc.numpy.stack")
    a: np.ndarray[Any, np.dtype[Any]] = np.asarray(cast(Any, x))
    if listed and a.dtype == np.float64:
        a = a.astype(np.float32)  # Python floats are f32 here
    try:
        dtype_of(a)
    except ValueError as e:
        raise fail(str(e)) from None
    return resource(a) if a.size > LARGE else constant(a)


def weak_dtype(x: Any, other: Attribute) -> Attribute:
    """The element type of both sides of `x op other`, where x is a Python number."""
    if isinstance(x, bool):
        return other
    if isinstance(x, int):
        return i64 if other == i1 else other
    return other if is_float(other) else f32


def common_dtype(x: Attribute, y: Attribute) -> Attribute:
    return x if x == y else max(x, y, key=ORDER.index)


def broadcast_shapes(*shapes: Shape) -> Shape:
    """NumPy's rule: sizes are equal from the right, or one of them is 1."""
    rank = max(map(len, shapes))
    out: list[Any] = [1] * rank
    for s in shapes:
        for k, d in enumerate(s, rank - len(s)):
            if out[k] == 1:
                out[k] = d
            elif d != 1 and d != out[k]:
                found = " and ".join(map(show, shapes))
                raise fail(f"expected shapes that broadcast, found {found}: sizes {out[k]} and {d} in dimension {k}")
    return tuple(out)


def promote(x: Any, y: Any) -> tuple[Array, Array]:
    """Two operands of one type."""
    if isinstance(x, Array) and isinstance(y, Array) and x.value.type is y.value.type:
        return x, y
    if isinstance(x, Array) and weak(y):
        x = convert(x, weak_dtype(y, x.dtype))
        return x, full_of(y, x)
    if isinstance(y, Array) and weak(x):
        y = convert(y, weak_dtype(x, y.dtype))
        return full_of(x, y), y
    x, y = asarray(x), asarray(y)
    dtype = common_dtype(x.dtype, y.dtype)
    x, y = convert(x, dtype), convert(y, dtype)
    if x.shape == y.shape:
        return x, y
    shape = broadcast_shapes(x.shape, y.shape)
    return broadcast_to(x, shape), broadcast_to(y, shape)


def full_of(value: Any, like: Array) -> Array:
    """A Python number as an array of the other side's type, which must hold it."""
    if like.dtype in INTEGER and not -(1 << (63 if like.dtype == i64 else 31)) <= int(value) < 1 << (
        63 if like.dtype == i64 else 31
    ):
        raise fail(f"expected a number that {like.dtype} holds, found {value}")
    return full(value, like.type)


def same_shape(*xs: Array) -> list[Array]:
    shape = broadcast_shapes(*(x.shape for x in xs))
    return [broadcast_to(x, shape) for x in xs]


def axes_of(x: Array, axis: int | Sequence[int] | None) -> list[int]:
    """Dimensions from 0, sorted; None is all."""
    if axis is None:
        return list(range(x.ndim))
    given: list[Any] = list(axis) if isinstance(axis, Sequence) and not isinstance(axis, str) else [axis]
    out = [one_axis(a, x.ndim) for a in given]
    if len(set(out)) < len(out):
        raise fail(f"expected different axes, found {given}")
    return sorted(out)


def one_axis(axis: Any, rank: int) -> int:
    if not isinstance(axis, int | np.integer) or not -rank <= axis < rank:
        raise fail(f"expected an axis of {rank} dimensions, found {axis!r}")
    return int(cast(int, axis)) % rank
