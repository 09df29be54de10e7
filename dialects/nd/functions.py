"""The array language: what users' programs and the ops' rules are written in. Names follow NumPy's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import f32, i1

from . import dimmap, movement
from .array import Array, Axis
from .composite import CrossEntropy, Gelu, LogSoftmax, Mean, Mse, Relu, Softmax, Variance
from .constant import constant as constant
from .constant import full, iota
from .constant import size_value as size_value
from .convolution import conv as conv
from .dimmap import DimMap
from .dims import Dim, Shape, show
from .elementwise import (
    Abs,
    Add,
    And,
    Cos,
    Div,
    Exp,
    Log,
    Max,
    Min,
    Mul,
    Neg,
    Not,
    Or,
    Pow,
    Rsqrt,
    Sign,
    Sin,
    Sqrt,
    Sub,
    Tanh,
    Unary,
    Xor,
)
from .indexing import Argmax, Argmin, one_hot_as
from .lookup import At as At
from .lookup import bincount as bincount
from .lookup import dynamic_slice as dynamic_slice
from .lookup import dynamic_update_slice as dynamic_update_slice
from .lookup import put_along_axis as put_along_axis
from .lookup import searchsorted as searchsorted
from .lookup import take as take
from .lookup import take_along_axis as take_along_axis
from .mapped import text, without
from .op import bind
from .op import zeros_like as zeros_like
from .products import alike as alike
from .products import contract as contract
from .products import einsum as einsum
from .products import matmul as matmul
from .promotion import as_dtype, asarray, axes_of, counted, fail, numeric, one_axis, promote, same_shape
from .reduction import reduce as reduce_axes
from .scalar_functions import acos as acos
from .scalar_functions import acosh as acosh
from .scalar_functions import asin as asin
from .scalar_functions import asinh as asinh
from .scalar_functions import atan as atan
from .scalar_functions import atan2 as atan2
from .scalar_functions import atanh as atanh
from .scalar_functions import cbrt as cbrt
from .scalar_functions import ceil as ceil
from .scalar_functions import clip as clip
from .scalar_functions import copysign as copysign
from .scalar_functions import cosh as cosh
from .scalar_functions import count_leading_zeros as count_leading_zeros
from .scalar_functions import erf as erf
from .scalar_functions import exp2 as exp2
from .scalar_functions import expm1 as expm1
from .scalar_functions import floats as floats
from .scalar_functions import floor as floor
from .scalar_functions import floor_divide as floor_divide
from .scalar_functions import hypot as hypot
from .scalar_functions import isfinite as isfinite
from .scalar_functions import isinf as isinf
from .scalar_functions import isnan as isnan
from .scalar_functions import left_shift as left_shift
from .scalar_functions import log1p as log1p
from .scalar_functions import log2 as log2
from .scalar_functions import log10 as log10
from .scalar_functions import logaddexp as logaddexp
from .scalar_functions import popcount as popcount
from .scalar_functions import quotient as quotient
from .scalar_functions import rem as rem
from .scalar_functions import remainder as remainder
from .scalar_functions import right_shift as right_shift
from .scalar_functions import round_ as round_
from .scalar_functions import round_away as round_away
from .scalar_functions import sigmoid as sigmoid
from .scalar_functions import signbit as signbit
from .scalar_functions import silu as silu
from .scalar_functions import sinh as sinh
from .scalar_functions import tan as tan
from .scalar_functions import trunc as trunc
from .selection import COMPARE, Compare, Select
from .selection import convert as convert_to
from .shaping import broadcast_to as broadcast_to
from .shaping import concatenate as concatenate
from .shaping import expand_dims as expand_dims
from .shaping import flip as flip
from .shaping import index as index
from .shaping import moveaxis as moveaxis
from .shaping import pad as pad
from .shaping import reshape as reshape
from .shaping import shape_tuple as shape_tuple
from .shaping import squeeze as squeeze
from .shaping import stack as stack
from .shaping import swapaxes as swapaxes
from .shaping import transpose as transpose
from .types import INTEGER, is_float, tensor

# Elementwise.


def add(x: Any, y: Any) -> Array:
    return bind(Add, *promote(x, y))


def sub(x: Any, y: Any) -> Array:
    return bind(Sub, *promote(x, y))


def mul(x: Any, y: Any) -> Array:
    return bind(Mul, *promote(x, y))


def div(x: Any, y: Any) -> Array:
    """`nd.div` itself: of integers the floor of the quotient."""
    return bind(Div, *promote(x, y))


def true_divide(x: Any, y: Any) -> Array:
    """`/`: integers become f32 first."""
    x, y = promote(x, y)
    return bind(Div, floats(numeric(x)), floats(y))


def power(x: Any, y: Any) -> Array:
    """`**`; a small whole exponent becomes products."""
    if isinstance(x, Array) and isinstance(y, int) and not isinstance(y, bool):
        numeric(x)
        if 0 < y <= 4 or (y > 0 and not is_float(x.dtype)):
            half = power(x, y // 2) if y > 1 else None
            return x if half is None else half * half * x if y % 2 else half * half
        if y == 0:
            return ones_like(x)
    x, y = promote(x, y)
    return bind(Pow, floats(numeric(x)), floats(y))


def maximum(x: Any, y: Any) -> Array:
    return bind(Max, *promote(x, y))


def minimum(x: Any, y: Any) -> Array:
    return bind(Min, *promote(x, y))


def _numeric(cls: type[Unary], x: Any) -> Array:
    return bind(cls, numeric(asarray(x)))


def neg(x: Any) -> Array:
    return _numeric(Neg, x)


def abs_(x: Any) -> Array:
    return _numeric(Abs, x)


def sign(x: Any) -> Array:
    return _numeric(Sign, x)


def exp(x: Any) -> Array:
    return bind(Exp, floats(x))


def log(x: Any) -> Array:
    return bind(Log, floats(x))


def tanh(x: Any) -> Array:
    return bind(Tanh, floats(x))


def sin(x: Any) -> Array:
    return bind(Sin, floats(x))


def cos(x: Any) -> Array:
    return bind(Cos, floats(x))


def sqrt(x: Any) -> Array:
    return bind(Sqrt, floats(x))


def rsqrt(x: Any) -> Array:
    return bind(Rsqrt, floats(x))


def bitwise_and(x: Any, y: Any) -> Array:
    return bind(And, *promote(x, y))


def bitwise_or(x: Any, y: Any) -> Array:
    return bind(Or, *promote(x, y))


def bitwise_xor(x: Any, y: Any) -> Array:
    return bind(Xor, *promote(x, y))


def bitwise_not(x: Any) -> Array:
    return bind(Not, asarray(x))


def logical_and(x: Any, y: Any) -> Array:
    """Of what is not 0, as of the next three."""
    return bitwise_and(truth(asarray(x)), truth(asarray(y)))


def logical_or(x: Any, y: Any) -> Array:
    return bitwise_or(truth(asarray(x)), truth(asarray(y)))


def logical_xor(x: Any, y: Any) -> Array:
    return bitwise_xor(truth(asarray(x)), truth(asarray(y)))


def logical_not(x: Any) -> Array:
    return bitwise_not(truth(asarray(x)))


def compare(kind: str, x: Any, y: Any) -> Array:
    return bind(Compare, *promote(x, y), kind=COMPARE[kind])


def equal(x: Any, y: Any) -> Array:
    return compare("eq", x, y)


def not_equal(x: Any, y: Any) -> Array:
    return compare("ne", x, y)


def less(x: Any, y: Any) -> Array:
    return compare("lt", x, y)


def less_equal(x: Any, y: Any) -> Array:
    return compare("le", x, y)


def greater(x: Any, y: Any) -> Array:
    return compare("gt", x, y)


def greater_equal(x: Any, y: Any) -> Array:
    return compare("ge", x, y)


def select(p: Array, x: Array, y: Array) -> Array:
    """`nd.select` itself: all of one shape."""
    return bind(Select, p, x, y)


def where(p: Any, x: Any, y: Any) -> Array:
    p = truth(asarray(p))
    x, y = promote(x, y)
    return bind(Select, *same_shape(p, x, y))


def truth(x: Array) -> Array:
    return x if x.dtype == i1 else compare("ne", x, 0)


def convert(x: Any, dtype: Any) -> Array:
    return convert_to(asarray(x), as_dtype(dtype))


# Creation.


def zeros(shape: Any, dtype: Any = f32) -> Array:
    return full(0, tensor(shape_tuple(shape), as_dtype(dtype)))


def ones(shape: Any, dtype: Any = f32) -> Array:
    return full(1, tensor(shape_tuple(shape), as_dtype(dtype)))


def ones_like(x: Array) -> Array:
    return full(1, x.type)


def eye_mask(shape: Shape, pairs: Sequence[tuple[int, int]]) -> Array:
    """True where the two coordinates of each pair of dimensions agree."""
    out: Array | None = None
    for p, q in pairs:
        same = compare("eq", iota(shape, p), iota(shape, q))
        out = same if out is None else bind(And, out, same)
    return out if out is not None else full(True, tensor(shape, i1))


# Reductions.


def reduce(kind: str, x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    x = asarray(x)
    if kind in ("any", "all"):
        x = truth(x)
    elif kind in ("max", "min"):
        numeric(x)
    axes = axes_of(x, axis)
    return kept(reduce_axes(kind, x, axes), x, axes, keepdims)


def kept(y: Array, x: Array, axes: Sequence[int], keepdims: bool) -> Array:
    return movement.reshape(y, tuple(1 if k in axes else d for k, d in enumerate(x.shape))) if keepdims else y


def sum_(x: Any, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Array:
    return reduce("sum", counted(x, dtype), axis, keepdims)


def prod(x: Any, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Array:
    return reduce("prod", counted(x, dtype), axis, keepdims)


def max_(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return reduce("max", x, axis, keepdims)


def min_(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return reduce("min", x, axis, keepdims)


def any_(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return reduce("any", x, axis, keepdims)


def all_(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return reduce("all", x, axis, keepdims)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    x = floats(x)
    axes = axes_of(x, axis)
    return kept(bind(Mean, x, map=without(x.ndim, tuple(axes))) if axes else x, x, axes, keepdims)


def variance(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    x = floats(x)
    axes = axes_of(x, axis)
    return kept(bind(Variance, x, map=without(x.ndim, tuple(axes))), x, axes, keepdims)


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Array:
    return _arg(Argmax, asarray(x), axis, keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Array:
    return _arg(Argmin, asarray(x), axis, keepdims)


def _arg(cls: type[Argmax] | type[Argmin], x: Array, axis: int | None, keepdims: bool) -> Array:
    if axis is None:  # the position in the flattened array
        flat = bind(cls, movement.reshape(x, (x.size,)), map=without(1, (0,)))
        return kept(flat, x, range(x.ndim), keepdims)
    at = one_axis(axis, x.ndim)
    return kept(bind(cls, x, map=without(x.ndim, (at,))), x, [at], keepdims)


# Networks.


def relu(x: Any) -> Array:
    return _numeric(Relu, x)


def gelu(x: Any) -> Array:
    return bind(Gelu, floats(x))


def softmax(x: Any, axis: int = -1) -> Array:
    return _along(Softmax, floats(x), axis)


def log_softmax(x: Any, axis: int = -1) -> Array:
    return _along(LogSoftmax, floats(x), axis)


def _along(cls: type[Softmax] | type[LogSoftmax], x: Array, axis: int) -> Array:
    if not x.ndim:
        raise fail(f"expected at least one dimension, found {x.type}")
    at = one_axis(axis, x.ndim)
    return swapaxes(bind(cls, swapaxes(x, at, -1)), at, -1)


def one_hot(labels: Any, classes: Dim, dtype: Any = f32) -> Array:
    """Rows of 0 with a 1 at the label's place; labels must be in 0..classes-1."""
    x = asarray(labels)
    return one_hot_as(x, (*x.shape, classes), as_dtype(dtype))


def cross_entropy(logits: Any, targets: Any) -> Array:
    """One loss for each row; targets are weights like the logits, or integer labels in range."""
    x, t = floats(logits), asarray(targets)
    if t.dtype in INTEGER and x.ndim:
        if t.shape != x.shape[:-1]:
            raise fail(f"expected labels of shape {show(x.shape[:-1])} for logits {x.type}, found {show(t.shape)}")
        t = one_hot_as(t, x.shape, x.dtype)
    x, t = promote(x, floats(t))
    return bind(CrossEntropy, x, t)


def mse(x: Any, y: Any, axis: Axis = None) -> Array:
    """The mean of (x - y)^2."""
    x, y = promote(floats(x), y)
    axes = axes_of(x, axis)
    n = dimmap.names(x.ndim)
    return bind(Mse, x, y, map=text(DimMap((n, n), tuple(i for k, i in enumerate(n) if k not in axes))))
