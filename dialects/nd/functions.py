"""The array language: what users' programs and the ops' rules are written in. Names follow NumPy's."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from xdsl.dialects.builtin import f32, i1

from . import movement
from .array import Array, Axis
from .conditions import compare as compare
from .conditions import equal as equal
from .conditions import greater as greater
from .conditions import greater_equal as greater_equal
from .conditions import less as less
from .conditions import less_equal as less_equal
from .conditions import logical_and as logical_and
from .conditions import logical_not as logical_not
from .conditions import logical_or as logical_or
from .conditions import logical_xor as logical_xor
from .conditions import not_equal as not_equal
from .conditions import select as select
from .conditions import truth as truth
from .conditions import where as where
from .constant import constant as constant
from .constant import full, iota
from .constant import size_value as size_value
from .dims import Shape
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
from .op import bind
from .op import zeros_like as zeros_like
from .promotion import as_dtype, asarray, axes_of, counted, numeric, promote
from .promotion import floats as floats
from .reduction import reduce as reduce_axes
from .selection import convert as convert_to
from .shaping import broadcast_to as broadcast_to
from .shaping import concatenate as concatenate
from .shaping import expand_dims as expand_dims
from .shaping import flip as flip
from .shaping import index as index
from .shaping import matrix_transpose as matrix_transpose
from .shaping import moveaxis as moveaxis
from .shaping import on_device as on_device
from .shaping import pad as pad
from .shaping import reshape as reshape
from .shaping import shape_tuple as shape_tuple
from .shaping import squeeze as squeeze
from .shaping import stack as stack
from .shaping import swapaxes as swapaxes
from .shaping import transpose as transpose
from .types import is_float, tensor

if TYPE_CHECKING:
    from .complex import angle as angle
    from .complex import complex_ as complex_
    from .complex import conj as conj
    from .complex import imag as imag
    from .complex import real as real
    from .convolution import conv as conv
    from .lookup import At as At
    from .lookup import bincount as bincount
    from .lookup import dynamic_slice as dynamic_slice
    from .lookup import dynamic_update_slice as dynamic_update_slice
    from .lookup import put_along_axis as put_along_axis
    from .lookup import searchsorted as searchsorted
    from .lookup import take as take
    from .lookup import take_along_axis as take_along_axis
    from .networks import cross_entropy as cross_entropy
    from .networks import gelu as gelu
    from .networks import log_softmax as log_softmax
    from .networks import mse as mse
    from .networks import one_hot as one_hot
    from .networks import relu as relu
    from .networks import softmax as softmax
    from .products import alike as alike
    from .products import contract as contract
    from .products import einsum as einsum
    from .products import matmul as matmul
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
    from .special_functions import bessel_i0 as bessel_i0
    from .special_functions import bessel_i0e as bessel_i0e
    from .special_functions import bessel_i1 as bessel_i1
    from .special_functions import bessel_i1e as bessel_i1e
    from .special_functions import digamma as digamma
    from .special_functions import erf_inv as erf_inv
    from .special_functions import erfc as erfc
    from .special_functions import is_neg_inf as is_neg_inf
    from .special_functions import is_pos_inf as is_pos_inf
    from .special_functions import lgamma as lgamma
    from .special_functions import next_after as next_after
    from .special_functions import polygamma as polygamma
    from .special_functions import reduce_precision as reduce_precision
    from .special_functions import zeta as zeta
    from .statistics import argmax as argmax
    from .statistics import argmin as argmin
    from .statistics import mean as mean
    from .statistics import variance as variance

_LATER = {
    "complex": "angle complex_ conj imag real",
    "convolution": "conv",
    "lookup": "At bincount dynamic_slice dynamic_update_slice put_along_axis searchsorted take take_along_axis",
    "networks": "cross_entropy gelu log_softmax mse one_hot relu softmax",
    "products": "alike contract einsum matmul",
    "scalar_functions": (
        "acos acosh asin asinh atan atan2 atanh cbrt ceil clip copysign cosh count_leading_zeros erf exp2 expm1 "
        "floor floor_divide hypot isfinite isinf isnan left_shift log1p log2 log10 logaddexp popcount quotient rem "
        "remainder right_shift round_ round_away sigmoid signbit silu sinh tan trunc"
    ),
    "special_functions": (
        "bessel_i0 bessel_i0e bessel_i1 bessel_i1e digamma erf_inv erfc is_neg_inf is_pos_inf lgamma next_after "
        "polygamma reduce_precision zeta"
    ),
    "statistics": "argmax argmin mean variance",
}
"""The names of modules that load when one of them is first used: a program of a few ops starts without them."""

_MODULES = {name: module for module, names in _LATER.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __package__), name)
    return value


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
    """`**`; a small whole exponent becomes products; integers by integers wrap."""
    if isinstance(x, Array) and isinstance(y, int) and not isinstance(y, bool):
        numeric(x)
        if 0 < y <= 4 or (y > 0 and not is_float(x.dtype)):
            half = power(x, y // 2) if y > 1 else None
            return x if half is None else half * half * x if y % 2 else half * half
        if y == 0:
            return ones_like(x)
    negative = isinstance(y, int) and y < 0
    x, y = promote(x, y)
    if not is_float(numeric(x).dtype) and not negative:
        from .powers import integer_power

        return integer_power(x, y)
    return bind(Pow, floats(x), floats(y))


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
