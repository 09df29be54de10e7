"""Operands of the array language: Python numbers, NumPy arrays and `Array`s of different types and shapes made alike.

Python numbers are weak: they take the other side's element type (a float beside integers makes them f32, a complex
number beside floats the complex type of their parts). Arrays follow the Array API's table: of one kind the wider type
wins, f16 and bf16 make f32, signed and unsigned integers the next signed type that holds both, a complex and a float
type the complex one whose parts hold both; a float wins over an integer, an integer over i1, which the standard leaves
open. Shapes broadcast as NumPy's, by explicit ops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import f32, i1, i64
from xdsl.ir import Attribute

from ..errors import CompileError
from .array import Array
from .constant import constant, full
from .dims import Shape, show
from .movement import broadcast_to
from .op import here
from .resource import LARGE, resource
from .selection import convert, limits
from .types import (
    BY_NAME,
    COMPUTED,
    INTEGER,
    NAMES,
    SIGNED,
    STORAGE,
    c64,
    complex_of,
    dtype_of,
    is_complex,
    is_float,
    is_unsigned,
    of_numpy,
    part_of,
    tensor,
    ui64,
    width,
)


def fail(message: str, kind: type[CompileError] = CompileError) -> CompileError:
    return kind(message, here())


def as_dtype(dtype: Any) -> Attribute:
    """An element type from its name, a dtype of NumPy or `ml_dtypes`, a Python type, or itself."""
    if isinstance(dtype, Attribute):
        return dtype
    python: dict[Any, Attribute] = {float: f32, int: i64, bool: i1, complex: c64}
    if isinstance(dtype, type) and dtype in python:
        return python[dtype]
    if isinstance(dtype, str) and dtype in BY_NAME:
        return BY_NAME[dtype]
    try:
        return of_numpy(cast(Any, np.dtype(dtype)))
    except (TypeError, ValueError):
        expected = ", ".join(NAMES[t] for t in COMPUTED)
        raise fail(f"expected an element type such as {expected}, found {dtype}") from None


def weak(x: Any) -> bool:
    """Is it a Python number, which takes the type that others give it?"""
    return isinstance(x, bool | int | float | complex)


def asarray(x: Any, dtype: Any = None) -> Array:
    """Anything as an `Array`; a Python float is f32, an int i64, a complex number of two f32."""
    if not isinstance(x, Array):
        if weak(x):
            own = next(t for t in (bool, int, float, complex) if isinstance(x, t))
            if own is complex and dtype is not None and not is_complex(as_dtype(dtype)):
                return convert(full(x, tensor((), c64)), as_dtype(dtype))
            return full(x, tensor((), as_dtype(dtype if dtype is not None else own)))
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
    if listed and a.dtype == np.complex128:
        a = a.astype(np.complex64)
    try:
        dtype_of(a)
    except ValueError as e:
        raise fail(str(e)) from None
    return resource(a) if a.size > LARGE else constant(a)


def counted(x: Any, dtype: Any = None) -> Array:
    """The terms of a sum or product: integers and bools in 64 bits, as the Array API has it, unless told."""
    x = asarray(x)
    if dtype is not None:
        return convert(x, as_dtype(dtype))
    if is_float(x.dtype) or x.dtype in STORAGE:
        return x
    return convert(x, ui64 if is_unsigned(x.dtype) and x.dtype != i1 else i64)


def weak_dtype(x: Any, other: Attribute) -> Attribute:
    """The element type of both sides of `x op other`, where x is a Python number."""
    if isinstance(x, bool):
        return other
    if isinstance(x, int):
        return i64 if other == i1 else other
    if isinstance(x, complex):
        return complex_of(other) if is_float(other) else c64
    return other if is_float(other) else f32


def common_dtype(x: Attribute, y: Attribute) -> Attribute:
    """The type to which both are converted; CompileError where there is none."""
    if x == y:
        return x
    for t in (x, y):
        if t in STORAGE:
            raise fail(f"expected element types to compute with, found {x} and {y}; convert {t} first, with astype")
    if i1 in (x, y) or is_float(x) != is_float(y):
        return max(x, y, key=lambda t: (is_float(t), t != i1))
    if is_complex(x) or is_complex(y):
        return complex_of(common_dtype(part_of(x), part_of(y)))
    if width(x) != width(y) and (is_float(x) or is_unsigned(x) == is_unsigned(y)):
        return max(x, y, key=width)
    if is_float(x):
        return f32  # f16 and bf16
    needed = max(width(t) * (2 if is_unsigned(t) else 1) for t in (x, y))
    if needed > width(i64):
        raise fail(f"expected integers that one type holds, found {x} and {y}; convert one of them first, with astype")
    return next(t for t in SIGNED if width(t) == needed)


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
    if like.dtype in INTEGER:
        low, high = limits(like.dtype)
        if not low <= int(value) <= high:
            raise fail(f"expected a number that {like.dtype} holds, found {value}")
    return full(value, like.type)


def floats(x: Any) -> Array:
    """As a float array: integers and i1 become f32."""
    x = asarray(x)
    return x if is_float(x.dtype) else convert(x, f32)


def numeric(x: Array) -> Array:
    """x, which must not hold truth values: they have no arithmetic."""
    if x.dtype == i1:
        raise fail(
            f"expected numbers, found {x.type}: arithmetic of truth values is not defined; use & | ^ ~, or convert "
            'them, as with .astype("int64")'
        )
    return x


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


def one_axis(axis: Any, rank: int, kind: type[CompileError] = CompileError) -> int:
    if not isinstance(axis, int | np.integer) or not -rank <= axis < rank:
        legal = f"from {-rank} to {rank - 1}" if rank else "of an array that has one"
        raise fail(f"expected an axis {legal}, found {axis!r}", kind)
    return int(cast(int, axis)) % rank
