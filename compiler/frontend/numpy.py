"""`mlc.numpy`: NumPy's names and those of the Array API standard, version 2025.12, for the array language.

Functions take traced arrays, NumPy arrays and Python numbers, inside a traced function or `mlc.eager()`. Shapes
broadcast as NumPy's; element types promote by the Array API, Python numbers being weak. Each name is found when it is
first used (`_FUNCTIONS`, `_SECTIONS`): a program loads the families of ops that it has. The block for type checkers
says the same as these tables.
"""

# ruff: noqa: F403, PLE0604

from __future__ import annotations

import math
from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import locations as _locations  # names the user's frame in errors
from . import namespace as _namespace  # arrays name this module as theirs

assert _locations and _namespace

pi, e, inf, nan, newaxis = math.pi, math.e, math.inf, math.nan, None

if TYPE_CHECKING:
    from ...dialects.nd import functions as F
    from .array_api import fft as fft
    from .array_api import linalg as linalg
    from .array_api.creation import *
    from .array_api.elementwise import *
    from .array_api.inspection import *
    from .array_api.linear_algebra import *
    from .array_api.manipulation import *
    from .array_api.searching import *
    from .array_api.sets import *
    from .array_api.sorting import *
    from .array_api.statistical import *
    from .dtypes import *

    add, subtract, multiply, divide, true_divide = F.add, F.sub, F.mul, F.true_divide, F.true_divide
    floor_divide, remainder, mod, fmod, power, pow = F.floor_divide, F.remainder, F.remainder, F.rem, F.power, F.power
    maximum, minimum, negative, abs, absolute = F.maximum, F.minimum, F.neg, F.abs_, F.abs_
    sign, copysign, signbit = F.sign, F.copysign, F.signbit
    floor, ceil, trunc, rint, isnan, isinf, isfinite = F.floor, F.ceil, F.trunc, F.round_, F.isnan, F.isinf, F.isfinite
    exp, exp2, expm1, sqrt, cbrt, hypot = F.exp, F.exp2, F.expm1, F.sqrt, F.cbrt, F.hypot
    log, log2, log10, log1p, logaddexp = F.log, F.log2, F.log10, F.log1p, F.logaddexp
    sin, cos, tan, asin, acos, atan, atan2 = F.sin, F.cos, F.tan, F.asin, F.acos, F.atan, F.atan2
    sinh, cosh, tanh, asinh, acosh, atanh = F.sinh, F.cosh, F.tanh, F.asinh, F.acosh, F.atanh
    arcsin, arccos, arctan, arctan2 = F.asin, F.acos, F.atan, F.atan2
    arcsinh, arccosh, arctanh = F.asinh, F.acosh, F.atanh
    bitwise_and, bitwise_or, bitwise_xor = F.bitwise_and, F.bitwise_or, F.bitwise_xor
    bitwise_invert, bitwise_not, invert = F.bitwise_not, F.bitwise_not, F.bitwise_not
    bitwise_left_shift, left_shift = F.left_shift, F.left_shift
    bitwise_right_shift, right_shift, bitwise_count = F.right_shift, F.right_shift, F.popcount
    logical_and, logical_or, logical_xor, logical_not = F.logical_and, F.logical_or, F.logical_xor, F.logical_not
    equal, not_equal, less, less_equal = F.equal, F.not_equal, F.less, F.less_equal
    greater, greater_equal, where = F.greater, F.greater_equal, F.where
    transpose, permute_dims, broadcast_to, expand_dims = F.transpose, F.transpose, F.broadcast_to, F.expand_dims
    squeeze, flip, stack, matmul, einsum = F.squeeze, F.flip, F.stack, F.matmul, F.einsum
    take, take_along_axis, put_along_axis = F.take, F.take_along_axis, F.put_along_axis
    dynamic_slice, dynamic_update_slice, bincount = F.dynamic_slice, F.dynamic_update_slice, F.bincount

_FUNCTIONS = """
add subtract=sub multiply=mul divide=true_divide true_divide
floor_divide remainder mod=remainder fmod=rem power pow=power
maximum minimum negative=neg abs=abs_ absolute=abs_
sign copysign signbit
floor ceil trunc rint=round_ isnan isinf isfinite
exp exp2 expm1 sqrt cbrt hypot
log log2 log10 log1p logaddexp
sin cos tan asin acos atan atan2
sinh cosh tanh asinh acosh atanh
arcsin=asin arccos=acos arctan=atan arctan2=atan2
arcsinh=asinh arccosh=acosh arctanh=atanh
bitwise_and bitwise_or bitwise_xor
bitwise_invert=bitwise_not bitwise_not invert=bitwise_not
bitwise_left_shift=left_shift left_shift
bitwise_right_shift=right_shift right_shift bitwise_count=popcount
logical_and logical_or logical_xor logical_not
equal not_equal less less_equal
greater greater_equal where
transpose permute_dims=transpose broadcast_to expand_dims
squeeze flip stack matmul einsum
take take_along_axis put_along_axis
dynamic_slice dynamic_update_slice bincount
"""
"""Functions of `dialects/nd/functions.py` that are here as they are."""

_SECTIONS = {
    "dtypes": """
        bool=bool_ bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64
        complex64 complex128 astype bitcast can_cast finfo iinfo isdtype pack promote_types result_type unpack
    """,
    "array_api.creation": """
        arange array asarray empty empty_like eye from_dlpack full full_like linspace meshgrid ones ones_like
        tril triu zeros zeros_like
    """,
    "array_api.elementwise": """
        clip conj deg2rad degrees divmod imag nextafter positive rad2deg radians real reciprocal round square
    """,
    "array_api.inspection": "__array_api_version__ __array_namespace_info__",
    "array_api.linear_algebra": "dot matrix_transpose outer tensordot vecdot",
    "array_api.manipulation": """
        broadcast_arrays broadcast_shapes concat concatenate moveaxis pad repeat reshape roll swapaxes tile unstack
    """,
    "array_api.searching": "argmax argmin count_nonzero nonzero searchsorted",
    "array_api.sets": "isin unique unique_all unique_counts unique_inverse unique_values",
    "array_api.sorting": "argsort sort top_k",
    "array_api.statistical": """
        all any cummax cummin cumprod cumsum cumulative_logsumexp cumulative_max cumulative_min cumulative_prod
        cumulative_sum diff max mean median min prod std sum var
    """,
}
"""Functions with a definition of their own, by the module that has them."""

_EXTENSIONS = ("fft", "linalg")
_PLACES = {
    name: (module, own or name)
    for module, names in {**_SECTIONS, "...dialects.nd.functions": _FUNCTIONS}.items()
    for name, _, own in (word.partition("=") for word in names.split())
}

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll]
    *("e", "inf", "nan", "newaxis", "pi"),
    *_EXTENSIONS,
    *(name for name in _PLACES if not name.startswith("_")),
]


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        module, own = _PLACES[name]
        value = getattr(import_module(module if module.startswith(".") else f".{module}", __package__), own)
    elif name in _EXTENSIONS:
        value = import_module(f".array_api.{name}", __package__)
    else:
        if name.startswith("_"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from .dtypes import lazy

        value = lazy(__name__, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES, *_EXTENSIONS})
