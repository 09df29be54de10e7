"""`mlc.numpy`: NumPy's and the Array API's names for the array language.

Functions take traced arrays, NumPy arrays and Python numbers, inside a traced function or `mlc.eager()`. Shapes
broadcast as NumPy's; element types promote by the Array API, Python numbers being weak.
"""

# Trees and user functions hold anything.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dialects.errors import CompileError
from ...dialects.nd import bits, ordered
from ...dialects.nd import functions as F
from ...dialects.nd.array import Array, Axis
from ...dialects.nd.constant import iota
from ...dialects.nd.op import bind, here
from ...dialects.nd.promotion import as_dtype, asarray
from ...dialects.nd.types import is_float
from . import dtypes
from . import locations as _locations  # names the user's frame in errors

assert _locations

pi, e, inf, nan, newaxis = math.pi, math.e, math.inf, math.nan, None
float16, float32, float64, bool_ = dtypes.float16, dtypes.float32, dtypes.float64, dtypes.bool_
int8, int16, int32, int64 = dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64
uint8, uint16, uint32, uint64 = dtypes.uint8, dtypes.uint16, dtypes.uint32, dtypes.uint64
result_type, promote_types, can_cast, isdtype = (
    dtypes.result_type,
    dtypes.promote_types,
    dtypes.can_cast,
    dtypes.isdtype,
)
finfo, iinfo = dtypes.finfo, dtypes.iinfo

add, subtract, multiply, divide = F.add, F.sub, F.mul, F.true_divide
floor_divide, remainder, mod, fmod, power, pow = F.floor_divide, F.remainder, F.remainder, F.rem, F.power, F.power
true_divide, maximum, minimum, clip = F.true_divide, F.maximum, F.minimum, F.clip
negative, abs, absolute, sign, copysign, signbit = F.neg, F.abs_, F.abs_, F.sign, F.copysign, F.signbit
floor, ceil, trunc, rint = F.floor, F.ceil, F.trunc, F.round_
isnan, isinf, isfinite = F.isnan, F.isinf, F.isfinite
exp, exp2, expm1, sqrt, cbrt, hypot = F.exp, F.exp2, F.expm1, F.sqrt, F.cbrt, F.hypot
log, log2, log10, log1p, logaddexp = F.log, F.log2, F.log10, F.log1p, F.logaddexp
sin, cos, tan, asin, acos, atan, atan2 = F.sin, F.cos, F.tan, F.asin, F.acos, F.atan, F.atan2
arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
sinh, cosh, tanh, asinh, acosh, atanh = F.sinh, F.cosh, F.tanh, F.asinh, F.acosh, F.atanh
arcsinh, arccosh, arctanh = asinh, acosh, atanh
bitwise_and, bitwise_or, bitwise_xor = F.bitwise_and, F.bitwise_or, F.bitwise_xor
bitwise_invert = bitwise_not = invert = F.bitwise_not
bitwise_left_shift = left_shift = F.left_shift
bitwise_right_shift = right_shift = F.right_shift
bitwise_count = F.popcount
logical_and, logical_or, logical_xor, logical_not = F.logical_and, F.logical_or, F.logical_xor, F.logical_not
equal, not_equal, less, less_equal = F.equal, F.not_equal, F.less, F.less_equal
greater, greater_equal, where = F.greater, F.greater_equal, F.where
reshape, transpose, permute_dims, broadcast_to = F.reshape, F.transpose, F.transpose, F.broadcast_to
expand_dims, squeeze, flip, concatenate, concat, stack = (
    F.expand_dims,
    F.squeeze,
    F.flip,
    F.concatenate,
    F.concatenate,
    F.stack,
)
matmul, einsum = F.matmul, F.einsum
take, take_along_axis, put_along_axis = F.take, F.take_along_axis, F.put_along_axis
dynamic_slice, dynamic_update_slice = F.dynamic_slice, F.dynamic_update_slice
bincount, searchsorted = F.bincount, F.searchsorted


def __getattr__(name: str) -> Any:
    return dtypes.lazy(__name__, name)


def square(x: Any) -> Array:
    x = asarray(x)
    return x * x


def reciprocal(x: Any) -> Array:
    """1 / x; of integers in f32."""
    return F.true_divide(1, asarray(x))


def positive(x: Any) -> Array:
    return asarray(x)


def divmod(x: Any, y: Any) -> tuple[Array, Array]:
    return F.floor_divide(x, y), F.remainder(x, y)


def round(x: Any, decimals: int = 0) -> Array:
    """To `decimals` places, of two equally near numbers the even one."""
    x = asarray(x)
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


def astype(x: Any, dtype: Any) -> Array:
    return F.convert(asarray(x), as_dtype(dtype))


def bitcast(x: Any, dtype: Any) -> Array:
    """The same bits as elements of another type of as many."""
    return bits.bitcast(asarray(x), as_dtype(dtype))


def pack(x: Any) -> Array:
    """Elements of four bits, two to a byte along the last axis, the low bits first; see `unpack`."""
    return bind(bits.Pack, asarray(x))


def unpack(x: Any, dtype: Any) -> Array:
    """Bytes along the last axis as twice as many elements of `int4`, `uint4` or `float4_e2m1fn`."""
    return bind(bits.Unpack, asarray(x), to=as_dtype(dtype))


def array(x: Any, dtype: Any = None) -> Array:
    """Anything as an array; NumPy arrays and nested lists become constants."""
    if isinstance(x, list | tuple) and any(isinstance(v, Array) for v in x):  # pyright: ignore[reportUnknownVariableType]
        return F.stack(x) if dtype is None else astype(F.stack(x), dtype)  # pyright: ignore[reportUnknownArgumentType]
    return asarray(np.asarray(x) if isinstance(x, list | tuple) else x, dtype)


def nonzero(x: Any) -> tuple[Array, ...]:
    """Refused: how many elements are not 0 is not known while the program is built."""
    raise CompileError(
        "nonzero: the size of the result is not known while the program is built; use where(x, y, 0), or "
        "argsort of x == 0 for the positions of those that are not 0 in front",
        here(),
    )


def swapaxes(x: Any, axis1: int, axis2: int) -> Array:
    return F.swapaxes(asarray(x), axis1, axis2)


def moveaxis(x: Any, source: int, destination: int) -> Array:
    return F.moveaxis(asarray(x), source, destination)


def pad(x: Any, pad_width: Any, constant_values: Any = 0) -> Array:
    """Constants around an array: a width, a pair, or a pair for each axis."""
    return F.pad(x, pad_width, constant_values)


def dot(x: Any, y: Any) -> Array:
    """NumPy's dot of arrays of at most two dimensions."""
    x, y = asarray(x), asarray(y)
    return x * y if not x.ndim or not y.ndim else F.matmul(x, y)


def outer(x: Any, y: Any) -> Array:
    """`x[i] * y[j]`, of arrays as vectors."""
    return F.reshape(asarray(x), (-1, 1)) * F.reshape(asarray(y), (1, -1))


def tensordot(x: Any, y: Any, axes: int | Sequence[Sequence[int]] = 2) -> Array:
    """Sum of products over the last `axes` axes of x and the first of y, or over the pairs of axes given."""
    x, y = asarray(x), asarray(y)
    if isinstance(axes, int):
        axes = (range(x.ndim - axes, x.ndim), range(axes))
    left, right = ([a % v.ndim for a in part] for v, part in zip((x, y), axes, strict=True))
    letters = iter("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    xs = [next(letters) for _ in range(x.ndim)]
    ys = [xs[left[right.index(k)]] if k in right else next(letters) for k in range(y.ndim)]
    out = [n for k, n in enumerate(xs) if k not in left] + [n for k, n in enumerate(ys) if k not in right]
    return F.einsum(f"{''.join(xs)},{''.join(ys)}->{''.join(out)}", x, y)


def sum(x: Any, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Array:
    """Integers are added in 64 bits, unless `dtype` says otherwise."""
    return F.sum_(asarray(x), axis, keepdims, dtype)


def prod(x: Any, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Array:
    """Integers are multiplied in 64 bits, unless `dtype` says otherwise."""
    return F.prod(asarray(x), axis, keepdims, dtype)


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return F.max_(asarray(x), axis, keepdims)


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return F.min_(asarray(x), axis, keepdims)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return F.mean(asarray(x), axis, keepdims)


def var(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    """The mean square distance from the mean."""
    return F.variance(asarray(x), axis, keepdims)


def std(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return F.sqrt(var(x, axis, keepdims))


def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return F.any_(asarray(x), axis, keepdims)


def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return F.all_(asarray(x), axis, keepdims)


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Array:
    """The place of the first maximum, i64; NaN counts as the largest."""
    return F.argmax(asarray(x), axis, keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Array:
    """The place of the first minimum, i64; NaN counts as the smallest."""
    return F.argmin(asarray(x), axis, keepdims)


def cumsum(x: Any, axis: int | None = None, reverse: bool = False, exclusive: bool = False) -> Array:
    """Sums of each element and those before it, added in that order; without an axis, of the flattened array.

    `reverse` adds from the end, `exclusive` leaves the element itself out.
    """
    return ordered.accumulate("sum", F.counted(x), axis, reverse, exclusive)


def cumprod(x: Any, axis: int | None = None, reverse: bool = False, exclusive: bool = False) -> Array:
    """As `cumsum`, products."""
    return ordered.accumulate("prod", F.counted(x), axis, reverse, exclusive)


def cummax(x: Any, axis: int | None = None, reverse: bool = False) -> Array:
    """The largest so far; its gradient goes to the latest element that attains it."""
    return ordered.accumulate("max", x, axis, reverse)


def cummin(x: Any, axis: int | None = None, reverse: bool = False) -> Array:
    """The smallest so far."""
    return ordered.accumulate("min", x, axis, reverse)


cumulative_max, cumulative_min = cummax, cummin


def cumulative_sum(x: Any, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Array:
    """The Array API's: `include_initial` puts the sum of nothing in front."""
    return _cumulative("sum", x, axis, dtype, include_initial)


def cumulative_prod(x: Any, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Array:
    """The Array API's: `include_initial` puts the product of nothing in front."""
    return _cumulative("prod", x, axis, dtype, include_initial)


def _cumulative(kind: str, x: Any, axis: int | None, dtype: Any, initial: bool) -> Array:
    x = F.counted(x, dtype)
    if axis is None and x.ndim != 1:
        raise CompileError(f"expected an axis for an array of {x.ndim} dimensions, found none", here())
    return ordered.with_initial(kind, x, 0 if axis is None else axis) if initial else ordered.accumulate(kind, x, axis)


def cumulative_logsumexp(x: Any, axis: int | None = None, reverse: bool = False) -> Array:
    """log(sum(exp(.))) of each element and those before it."""
    return ordered.cumulative_logsumexp(x, axis, reverse)


def sort(x: Any, axis: int | None = -1, descending: bool = False, stable: bool = True) -> Array:
    """In order along an axis (None: of the flattened array); always stable. NaN is last, also of a descending sort."""
    return ordered.sort(x, axis, descending)


def argsort(x: Any, axis: int | None = -1, descending: bool = False, stable: bool = True) -> Array:
    """The positions, i64, that put an axis in order; always stable."""
    return ordered.argsort(x, axis, descending)


def top_k(x: Any, k: int, axis: int = -1) -> tuple[Array, Array]:
    """The k largest elements along an axis, in descending order, and their positions."""
    return ordered.top_k(x, k, axis)


def median(x: Any, axis: int | None = None, keepdims: bool = False) -> Array:
    """The middle element, or the mean of both; NaN where there is one."""
    return ordered.median(x, axis, keepdims)


def unique(x: Any, *options: Any, **more: Any) -> Array:
    """Not here: its size depends on the values."""
    raise ordered.size_of_values("unique")


def zeros(shape: Any, dtype: Any = float32) -> Array:
    return F.zeros(shape, as_dtype(dtype))


def ones(shape: Any, dtype: Any = float32) -> Array:
    return F.ones(shape, as_dtype(dtype))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Array:
    return F.broadcast_to(asarray(fill_value, dtype), F.shape_tuple(shape))


def zeros_like(x: Any) -> Array:
    return F.zeros_like(asarray(x))


def ones_like(x: Any) -> Array:
    return F.ones_like(asarray(x))


def full_like(x: Any, fill_value: Any) -> Array:
    x = asarray(x)
    return F.broadcast_to(asarray(fill_value, x.dtype), x.shape)


def arange(start: int, stop: int | None = None, step: int = 1, dtype: Any = int64) -> Array:
    """Integers from `start` (0 if only one is given) up to `stop`."""
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise CompileError("arange: expected a step other than 0, found 0", here())
    return iota((len(range(start, stop, step)),), 0, as_dtype(dtype)) * step + start


def linspace(start: float, stop: float, num: int = 50, dtype: Any = float32) -> Array:
    """`num` evenly spaced numbers, both ends included."""
    return asarray(np.linspace(start, stop, num).astype(dtype))


def eye(n: int, m: int | None = None, dtype: Any = float32) -> Array:
    """Ones on the diagonal."""
    return F.convert(F.eye_mask((n, n if m is None else m), [(0, 1)]), as_dtype(dtype))


def tril(x: Any, k: int = 0) -> Array:
    """The lower triangle, up to the k-th diagonal; zeros elsewhere."""
    return _triangle(x, lambda rows, columns: columns <= rows + k)


def triu(x: Any, k: int = 0) -> Array:
    """The upper triangle, from the k-th diagonal; zeros elsewhere."""
    return _triangle(x, lambda rows, columns: columns >= rows + k)


def _triangle(x: Any, keep: Any) -> Array:
    x = asarray(x)
    rows, columns = (iota(x.shape, d) for d in (x.ndim - 2, x.ndim - 1))
    return F.where(keep(rows, columns), x, F.zeros_like(x))
