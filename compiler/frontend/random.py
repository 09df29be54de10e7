"""`mlc.random`: random numbers as pure functions of explicit keys.

    key = mlc.random.key(0)
    key, sub = mlc.random.split(key)
    x = mlc.random.normal(sub, (3, 4))

A key is two words, uint32[2] (leading dimensions are more keys under `vmap`). The generator is Threefry-2x32 over the
number of each element, as JAX's partitionable one, so that the bits of a key are JAX's, on every target, for any number
of threads. Use a key once; `split` and `fold_in` give new ones. Outside of a trace the functions compile themselves.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from xdsl.dialects.builtin import bf16, f16, f32, f64, i64
from xdsl.ir import Attribute

from ...dialects.nd import functions as F
from ...dialects.nd.array import Array
from ...dialects.nd.constant import iota, size_value
from ...dialects.nd.dims import Dim, Shape
from ...dialects.nd.ordered import argsort
from ...dialects.nd.promotion import as_dtype, asarray, fail, one_axis
from ...dialects.nd.selection import convert
from ...dialects.nd.threefry import unit_floats, words
from ...dialects.nd.types import INTEGER, NUMPY, finfo, is_unsigned, ui8, ui16, ui32, ui64, width
from . import locations as _locations  # names the user's frame in errors
from .transforms import tracing

assert _locations

Fn = Callable[..., Any]
WORD = {8: ui8, 16: ui16, 32: ui32, 64: ui64}


def anywhere(*static: str) -> Callable[[Fn], Fn]:
    """Outside of a trace, the function compiles itself; `static` parameters are Python values."""

    def decorate(fn: Fn) -> Fn:
        compiled: list[Any] = []

        @wraps(fn)
        def run(*args: Any, **kwargs: Any) -> Any:
            from . import eager
            from .jit import jit

            if tracing() or eager.active():
                return fn(*args, **kwargs)
            if not compiled:
                compiled.append(jit(fn, static=static))
            return compiled[0](*map(hashable, args), **{k: hashable(v) for k, v in kwargs.items()})

        return run

    return decorate


def hashable(x: Any) -> Any:
    """Shapes as tuples, since they are static."""
    return tuple(x) if isinstance(x, list) else x


def key(seed: int | np.integer[Any]) -> np.ndarray[Any, Any]:
    """A key from a whole number of up to 64 bits: its words, the upper one first."""
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise fail(f"random.key: expected an int as seed, found {seed!r}; use fold_in for a traced value")
    low = int(seed) & (1 << 64) - 1
    return np.array([low >> 32, low & 0xFFFFFFFF], np.uint32)


def _key(x: Any) -> Array:
    out = asarray(x)
    if out.dtype != ui32 or not out.ndim or out.shape[-1] != 2:
        raise fail(f"random: expected a key, uint32[2], found {out.type}; make one with mlc.random.key(seed)")
    return out


def _shape(shape: Any) -> tuple[Dim, ...]:
    return F.shape_tuple(shape)


def _words(word: str, k: Array, shape: Shape) -> Array:
    """Random words of a shape, for each key."""
    lead = k.shape[:-1]
    whole = (*lead, *shape)
    number = iota(whole, len(lead)) if shape else F.zeros(whole, i64)
    for axis in range(1, len(shape)):  # the number of the element in row order
        size = shape[axis]
        number = number * (size if isinstance(size, int) else F.broadcast_to(size_value(size, i64), whole))
        number = number + iota(whole, len(lead) + axis)
    parts = [F.index(k, (..., j)) for j in (0, 1)]
    keys = [F.broadcast_to(F.reshape(p, (*lead, *[1] * len(shape))), whole) for p in parts]
    return words(word, keys, [convert(number >> 32, ui32), convert(number, ui32)])


def _bits(k: Array, shape: Shape, size: int) -> Array:
    if size == 64:
        high, low = (convert(_words(w, k, shape), ui64) for w in ("first", "second"))
        return (high << 32) | low
    return convert(_words("mixed", k, shape), WORD[size])


@anywhere("shape", "dtype")
def bits(key: Any, shape: Any = (), dtype: Any = "uint32") -> Array:
    """Uniform bits as unsigned integers."""
    kind = as_dtype(dtype)
    if kind not in INTEGER or not is_unsigned(kind):
        raise fail(f"random.bits: expected an unsigned integer type, found {dtype}")
    return _bits(_key(key), _shape(shape), width(kind))


@anywhere("number")
def split(key: Any, number: int = 2) -> Array:
    """`[number, 2]`: as many new keys."""
    k = _key(key)
    return F.stack([_words(word, k, (number,)) for word in ("first", "second")], -1)


@anywhere()
def fold_in(key: Any, data: Any) -> Array:
    """A new key from a key and a whole number."""
    k, number = _key(key), asarray(data)
    if number.ndim or number.dtype not in INTEGER:
        raise fail(f"random.fold_in: expected one whole number, found {number.type}")
    shape, wide = k.shape[:-1], convert(number, i64)
    counter = [F.broadcast_to(convert(x, ui32), shape) for x in (wide >> 32, wide)]
    keys = [F.index(k, (..., j)) for j in (0, 1)]
    return F.stack([words(word, keys, counter) for word in ("first", "second")], -1)


def _uniform(k: Array, shape: Shape, kind: Attribute) -> Array:
    """In [0, 1)."""
    return unit_floats(_bits(k, shape, width(kind)), kind)


def float_type(what: str, dtype: Any) -> Attribute:
    kind = as_dtype(dtype)
    if kind not in (f32, f64, f16, bf16):
        raise fail(f"random.{what}: expected a float type, found {dtype}")
    return kind


@anywhere("shape", "dtype")
def uniform(key: Any, shape: Any = (), dtype: Any = "float32", low: Any = 0.0, high: Any = 1.0) -> Array:
    """Uniform in [low, high)."""
    kind = float_type("uniform", dtype)
    u = _uniform(_key(key), _shape(shape), kind)
    low, high = (F.convert(asarray(v), kind) for v in (low, high))
    return F.maximum(low, u * (high - low) + low)


@anywhere("shape", "dtype")
def normal(key: Any, shape: Any = (), dtype: Any = "float32") -> Array:
    """Normal of mean 0 and variance 1, by the inverse of its distribution function."""
    kind = float_type("normal", dtype)
    least = float(np.nextafter(np.asarray(-1, NUMPY[kind]), np.asarray(0, NUMPY[kind])))
    u = F.maximum(_uniform(_key(key), _shape(shape), kind) * (1.0 - least) + least, least)
    wide = u if kind in (f32, f64) else convert(u, f32)
    return convert(F.erf_inv(wide) * float(np.sqrt(2)), kind)


@anywhere("shape", "dtype")
def exponential(key: Any, shape: Any = (), dtype: Any = "float32") -> Array:
    """Exponential of rate 1."""
    return -F.log1p(-_uniform(_key(key), _shape(shape), float_type("exponential", dtype)))


@anywhere("shape", "dtype")
def gumbel(key: Any, shape: Any = (), dtype: Any = "float32") -> Array:
    """Gumbel's extreme value distribution: -log(-log u), u above 0."""
    kind = float_type("gumbel", dtype)
    tiny = float(finfo(NUMPY[kind]).tiny)
    return -F.log(-F.log(F.maximum(_uniform(_key(key), _shape(shape), kind), tiny)))


@anywhere("shape")
def bernoulli(key: Any, p: Any = 0.5, shape: Any = None) -> Array:
    """True with probability p; of p's shape without another."""
    chance = F.floats(p)
    shape = chance.shape if shape is None else _shape(shape)
    return _uniform(_key(key), shape, chance.dtype) < chance


@anywhere("shape", "low", "high", "dtype")
def randint(key: Any, shape: Any, low: int, high: int, dtype: Any = "int64") -> Array:
    """Whole numbers from low to below high; of 64 random bits, so that none is 2^-32 likelier than another."""
    kind = as_dtype(dtype)
    if kind not in INTEGER or not low < high:
        raise fail(f"random.randint: expected an integer type and low < high, found {dtype}, {low} and {high}")
    drawn = F.remainder(_bits(_key(key), _shape(shape), 64), high - low)
    return convert(convert(drawn, i64) + low, kind)


@anywhere("axis")
def categorical(key: Any, logits: Any, axis: int = -1) -> Array:
    """The position of one element along the axis, with probability softmax(logits)."""
    x = F.floats(logits)
    at = one_axis(axis, x.ndim)
    kind = x.dtype
    tiny = float(finfo(NUMPY[kind]).tiny)
    noise = -F.log(-F.log(F.maximum(_uniform(_key(key), x.shape, kind), tiny)))
    return F.argmax(x + noise, at)


def permutation(key: Any, x: Any, axis: int = 0) -> Any:
    """The numbers from 0 to below x in random order, or the array x with its parts along an axis so."""
    return _permuted_numbers(key, x) if isinstance(x, int) else _permuted(key, x, axis)


@anywhere("count")
def _permuted_numbers(key: Any, count: int) -> Array:
    return argsort(_bits(_key(key), (count,), 64))


@anywhere("axis")
def _permuted(key: Any, x: Any, axis: int) -> Array:
    from ...dialects.nd.lookup import take

    x = asarray(x)
    at = one_axis(axis, x.ndim)
    return take(x, argsort(_bits(_key(key), (x.shape[at],), 64)), at)


__all__ = [
    "bernoulli",
    "bits",
    "categorical",
    "exponential",
    "fold_in",
    "gumbel",
    "key",
    "normal",
    "permutation",
    "randint",
    "split",
    "uniform",
]
