"""Functions of the array language that act element by element: rounding, bits, transcendental functions, predicates.

Integers and i1 become f32 where only floats make sense, as with `/`.
"""

from __future__ import annotations

from typing import Any

from .activation import LogAddExp, Sigmoid, Silu
from .arithmetic import (
    Ceil,
    Clamp,
    CopySign,
    CountLeadingZeros,
    Mod,
    PopCount,
    Quotient,
    Rem,
    Round,
    RoundAway,
    Shl,
    Shr,
    Trunc,
)
from .array import Array
from .elementwise import Abs, Binary, Div, Floor, Max, Min, Unary, full_like, where
from .op import bind
from .promotion import asarray, floats, numeric, promote, same_shape
from .selection import convert
from .transcendental import (
    Acos,
    Acosh,
    Asin,
    Asinh,
    Atan,
    Atan2,
    Atanh,
    Cbrt,
    Cosh,
    Erf,
    Exp2,
    Expm1,
    Hypot,
    Log1p,
    Log2,
    Log10,
    Sinh,
    Tan,
)
from .types import is_float


def numbers(x: Any, y: Any) -> tuple[Array, Array]:
    """Two operands of one type with an arithmetic."""
    x, y = promote(x, y)
    return numeric(x), y


def _float(cls: type[Unary], x: Any) -> Array:
    return bind(cls, floats(x))


def _floats(cls: type[Binary], x: Any, y: Any) -> Array:
    x, y = promote(x, y)
    return bind(cls, floats(x), floats(y))


# Division.


def quotient(x: Any, y: Any) -> Array:
    """The quotient rounded towards zero; of integers 0 where the divisor is 0."""
    x, y = numbers(x, y)
    return bind(Trunc, x / y) if is_float(x.dtype) else bind(Quotient, x, y)


def rem(x: Any, y: Any) -> Array:
    """The exact remainder of the quotient rounded towards zero: it has the sign of x."""
    return bind(Rem, *numbers(x, y))


def remainder(x: Any, y: Any) -> Array:
    """`%`: the remainder of the quotient rounded down, with the sign of y."""
    return bind(Mod, *numbers(x, y))


def floor_divide(x: Any, y: Any) -> Array:
    """`//`: the quotient rounded down, of floats from the exact remainder."""
    x, y = numbers(x, y)
    if not is_float(x.dtype):
        return bind(Div, x, y)
    r = bind(Rem, x, y)
    q = bind(Round, (x - r) / y)
    q = where((r != 0) & ((r < 0) ^ (y < 0)), q - 1, q)
    plain = x / y
    return where(y == 0, plain, where(q == 0, bind(CopySign, q, plain), q))


# Limits and signs.


def clip(x: Any, low: Any = None, high: Any = None) -> Array:
    """min(max(x, low), high); NaN where any of them is."""
    if low is None or high is None:
        x = asarray(x) if low is None else bind(Max, *promote(x, low))
        return x if high is None else bind(Min, *promote(x, high))
    x, low = promote(x, low)
    x, high = promote(x, high)
    return bind(Clamp, *same_shape(convert(low, x.dtype), x, high))


def copysign(x: Any, y: Any) -> Array:
    return _floats(CopySign, x, y)


def signbit(x: Any) -> Array:
    """Is the sign negative? That of -0 and NaN counts."""
    x = asarray(x)
    if not is_float(x.dtype):
        return x < 0
    return bind(CopySign, full_like(x, 1.0), x) < 0


def isnan(x: Any) -> Array:
    x = asarray(x)
    return x != x


def isinf(x: Any) -> Array:
    x = asarray(x)
    return bind(Abs, x) == float("inf") if is_float(x.dtype) else x != x


def isfinite(x: Any) -> Array:
    x = asarray(x)
    return bind(Abs, x) < float("inf") if is_float(x.dtype) else x == x


# Rounding: integers are whole already.


def _whole(cls: type[Unary], x: Any) -> Array:
    x = asarray(x)
    return bind(cls, x) if is_float(x.dtype) else x


def floor(x: Any) -> Array:
    return _whole(Floor, x)


def ceil(x: Any) -> Array:
    return _whole(Ceil, x)


def trunc(x: Any) -> Array:
    return _whole(Trunc, x)


def round_(x: Any) -> Array:
    """To the nearest whole number, of two equally near the even one."""
    return _whole(Round, x)


def round_away(x: Any) -> Array:
    """To the nearest whole number, of two equally near the one further from 0."""
    return _whole(RoundAway, x)


# Bits.


def left_shift(x: Any, y: Any) -> Array:
    return bind(Shl, *numbers(x, y))


def right_shift(x: Any, y: Any) -> Array:
    return bind(Shr, *numbers(x, y))


def popcount(x: Any) -> Array:
    return bind(PopCount, asarray(x))


def count_leading_zeros(x: Any) -> Array:
    return bind(CountLeadingZeros, asarray(x))


# Exponentials and logarithms.


def exp2(x: Any) -> Array:
    return _float(Exp2, x)


def expm1(x: Any) -> Array:
    return _float(Expm1, x)


def log1p(x: Any) -> Array:
    return _float(Log1p, x)


def log2(x: Any) -> Array:
    return _float(Log2, x)


def log10(x: Any) -> Array:
    return _float(Log10, x)


def logaddexp(x: Any, y: Any) -> Array:
    return _floats(LogAddExp, x, y)


def cbrt(x: Any) -> Array:
    return _float(Cbrt, x)


def hypot(x: Any, y: Any) -> Array:
    return _floats(Hypot, x, y)


def erf(x: Any) -> Array:
    return _float(Erf, x)


def sigmoid(x: Any) -> Array:
    return _float(Sigmoid, x)


def silu(x: Any) -> Array:
    return _float(Silu, x)


# Trigonometric and hyperbolic functions.


def tan(x: Any) -> Array:
    return _float(Tan, x)


def asin(x: Any) -> Array:
    return _float(Asin, x)


def acos(x: Any) -> Array:
    return _float(Acos, x)


def atan(x: Any) -> Array:
    return _float(Atan, x)


def atan2(x: Any, y: Any) -> Array:
    return _floats(Atan2, x, y)


def sinh(x: Any) -> Array:
    return _float(Sinh, x)


def cosh(x: Any) -> Array:
    return _float(Cosh, x)


def asinh(x: Any) -> Array:
    return _float(Asinh, x)


def acosh(x: Any) -> Array:
    return _float(Acosh, x)


def atanh(x: Any) -> Array:
    return _float(Atanh, x)
