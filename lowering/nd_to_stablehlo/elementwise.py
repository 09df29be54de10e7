"""Elementwise ops. Where StableHLO has none, or leaves open what `nd` settles, a few ops keep the meaning of `nd`.

StableHLO says nothing of integer division by 0, of shifts by the width or more, and of conversions to integers out of
range; its clamp, sign and copysign are not those of `nd`. Functions that StableHLO lacks are those of CHLO where it has
them, which its consumers expand. f16 and bf16 take the way over f32 where an expansion would round more than once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from xdsl.dialects.builtin import f4E2M1FN, f32, f64, i1, i8, i32
from xdsl.ir import Attribute

from ...dialects.nd.op import NdOp
from ...dialects.nd.selection import limits
from ...dialects.nd.types import STORAGE, UNSIGNED, i4, is_complex, is_float, is_unsigned, ui4, ui8, width
from . import build as b
from .build import Value, binary, chlo, compare, differ, equal, select, unary

Emitter = Callable[..., Value]

SAME = {
    "neg": "negate",
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "pow": "power",
    "max": "maximum",
    "min": "minimum",
    "floor": "floor",
    "ceil": "ceil",
    "round": "round_nearest_even",
    "round_away": "round_nearest_afz",
    "sqrt": "sqrt",
    "rsqrt": "rsqrt",
    "exp": "exponential",
    "expm1": "exponential_minus_one",
    "log": "log",
    "log1p": "log_plus_one",
    "tanh": "tanh",
    "sin": "sine",
    "cos": "cosine",
    "tan": "tan",
    "atan2": "atan2",
    "and": "and",
    "or": "or",
    "xor": "xor",
    "not": "not",
    "popcount": "popcnt",
    "count_leading_zeros": "count_leading_zeros",
}
"""Ops that mean the same."""

CHLO = ("erf", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh")
"""Functions that CHLO has under the name of `nd`."""

DIRECTION = {"eq": "EQ", "ne": "NE", "lt": "LT", "le": "LE", "gt": "GT", "ge": "GE"}


def same(name: str) -> Emitter:
    def emit(op: NdOp, *xs: Value) -> Value:
        return b.one(name, xs, xs[0].type)

    return emit


def of_chlo(name: str) -> Emitter:
    def emit(op: NdOp, x: Value) -> Value:
        return chlo(name, x)

    return emit


def in_f32(fn: Callable[..., Value]) -> Emitter:
    """Computed in f32 where the element type is narrower, and rounded once."""

    def emit(op: NdOp, *xs: Value) -> Value:
        if width(xs[0].dtype) >= 32:
            return fn(*xs)
        return b.convert(fn(*(b.convert(x, f32) for x in xs)), xs[0].dtype)

    return emit


# Arithmetic.


def abs_(op: NdOp, x: Value) -> Value:
    return x if x.dtype in UNSIGNED else b.one("abs", [x], op.type)


def sign(op: NdOp, x: Value) -> Value:
    return select(equal(x, 0), x, 1) if x.dtype in UNSIGNED else unary("sign", x)


def trunc(op: NdOp, x: Value) -> Value:
    return select(x < 0, unary("ceil", x), unary("floor", x))


def clamp(op: NdOp, low: Value, x: Value, high: Value) -> Value:
    """Both bounds as max and min, which let NaN through."""
    return binary("minimum", binary("maximum", x, low), high)


def bits_of(dtype: Attribute) -> Attribute:
    return UNSIGNED[(8, 16, 32, 64).index(width(dtype))]


def copysign(op: NdOp, x: Value, y: Value) -> Value:
    top = 1 << (width(x.dtype) - 1)
    whole = bits_of(x.dtype)
    size, sign_ = b.bitcast(x, whole) & (top - 1), b.bitcast(y, whole) & top
    return b.bitcast(size | sign_, x.dtype)


def safe_divisor(x: Value, y: Value) -> Value:
    """The divisor, but 1 where the quotient is settled by `nd` alone: by 0, and of the least integer by -1."""
    unsafe = equal(y, 0)
    if not is_unsigned(x.dtype):
        unsafe = unsafe | (equal(x, limits(x.dtype)[0]) & equal(y, -1))
    return select(unsafe, 1, y)


def quotient(op: NdOp, x: Value, y: Value) -> Value:
    return select(equal(y, 0), 0, x / safe_divisor(x, y))


def div(op: NdOp, x: Value, y: Value) -> Value:
    """Of integers: the quotient towards zero, one less where a remainder is left and the signs differ."""
    if is_float(x.dtype):
        return x / y
    safe = safe_divisor(x, y)
    q = x / safe
    if not is_unsigned(x.dtype):
        r = binary("remainder", x, safe)
        q = select(differ(r, 0) & ((r < 0) ^ (y < 0)), q - 1, q)
    return select(equal(y, 0), 0, q)


def rem(op: NdOp, x: Value, y: Value) -> Value:
    if is_float(x.dtype):
        return binary("remainder", x, y)
    return select(equal(y, 0), x, binary("remainder", x, safe_divisor(x, y)))


def mod(op: NdOp, x: Value, y: Value) -> Value:
    r = rem(op, x, y)
    if is_unsigned(x.dtype):
        return r
    whole = copysign(op, r, y) if is_float(x.dtype) else r
    return select(differ(r, 0) & ((r < 0) ^ (y < 0)), r + y, whole)


def shift(name: str) -> Emitter:
    def emit(op: NdOp, x: Value, y: Value) -> Value:
        """What shifts every bit out gives 0, or the sign."""
        bits = width(x.dtype)
        outside = y >= bits if is_unsigned(y.dtype) else (y < 0) | (y >= bits)
        signed = name == "shr" and not is_unsigned(x.dtype)
        kind = "shift_left" if name == "shl" else "shift_right_arithmetic" if signed else "shift_right_logical"
        if signed:
            return binary(kind, x, select(outside, bits - 1, y))
        return select(outside, 0, binary(kind, x, select(outside, 0, y)))

    return emit


# Functions.


def exp2(x: Value) -> Value:
    return binary("power", b.splat(2.0, x.type), x)


def logarithm(base: float) -> Callable[[Value], Value]:
    def emit(x: Value) -> Value:
        return unary("log", x) / unary("log", b.splat(base, x.type))

    return emit


def cbrt(op: NdOp, x: Value) -> Value:
    """Of a complex number a power: StableHLO's root is that of real numbers."""
    return binary("power", x, 1 / 3) if is_complex(x.dtype) else unary("cbrt", x)


def hypot(x: Value, y: Value) -> Value:
    """The larger times sqrt(1 + ratio^2), which does not overflow; infinite where an operand is."""
    x, y = unary("abs", x), unary("abs", y)
    high, low = binary("maximum", x, y), binary("minimum", x, y)
    ratio = low / select(equal(high, 0), 1, high)
    out = high * unary("sqrt", 1 + ratio * ratio)
    infinite = equal(x, float("inf")) | equal(y, float("inf"))
    return select(infinite, float("inf"), out)


def polynomial(op: NdOp, x: Value) -> Value:
    """Horner's scheme, in f32 where the element type is narrower."""
    first, *rest = reversed(coefficients(op))
    y = b.splat(first, x.type)
    for c in rest:
        y = y * x + c
    return y


def chebyshev(op: NdOp, x: Value) -> Value:
    """Clenshaw's scheme: b_k = c_k + 2 x b_(k+1) - b_(k+2), and c_0 + x b_1 - b_2."""
    one, two, first = b.splat(0.0, x.type), b.splat(0.0, x.type), coefficients(op)
    for c in first[:0:-1]:
        one, two = c + 2.0 * x * one - two, one
    return first[0] + x * one - two


def coefficients(op: NdOp) -> tuple[float, ...]:
    found: Any = op.properties["coefficients"]
    return found.data


def series(fn: Callable[[NdOp, Value], Value]) -> Emitter:
    def emit(op: NdOp, x: Value) -> Value:
        return in_f32(partial(fn, op))(op, x)

    return emit


# Comparison, choice, conversion.


def compare_(op: NdOp, x: Value, y: Value) -> Value:
    kind: Any = op.properties["kind"]
    return compare(DIRECTION[kind.data.name], x, y)


def select_(op: NdOp, p: Value, x: Value, y: Value) -> Value:
    return select(p, x, y)


def convert(op: NdOp, x: Value) -> Value:
    return converted(x, op.properties["to"])


def converted(x: Value, to: Attribute) -> Value:
    """`nd.convert`: towards zero, to the nearest integer there is, NaN to 0; to i1, is it not 0."""
    of = x.dtype
    if of == to:
        return x
    if to == i1:
        x = b.convert(x, f32 if is_float(of) else i32) if of in STORAGE else x
        return differ(x, 0)
    if is_float(of) and not is_float(to):
        return to_integer(x, to)
    if to == f4E2M1FN and is_float(of):
        x = select(differ(x, x), 0, x)
    return b.convert(x, to)


def to_integer(x: Value, to: Attribute) -> Value:
    if x.dtype != f64:
        x = b.convert(x, f32)
    low, high = limits(to)
    whole = i8 if to == i4 else ui8 if to == ui4 else to
    above, below = x >= float(high + 1), x <= float(low - 1)
    inside = select(above | below | differ(x, x), 0, x)
    y = select(above, high, select(below, low, b.convert(inside, whole)))
    return b.convert(y, to)


def bitcast(op: NdOp, x: Value) -> Value:
    return b.bitcast(x, op.properties["to"])


ROWS: dict[str, Emitter] = {
    **{nd: same(name) for nd, name in SAME.items()},
    **{name: of_chlo(name) for name in CHLO},
    "barrier": same("optimization_barrier"),
    "abs": abs_,
    "sign": sign,
    "trunc": trunc,
    "clamp": clamp,
    "copysign": copysign,
    "quotient": quotient,
    "div": div,
    "rem": rem,
    "mod": mod,
    "shl": shift("shl"),
    "shr": shift("shr"),
    "exp2": in_f32(exp2),
    "log2": in_f32(logarithm(2.0)),
    "log10": in_f32(logarithm(10.0)),
    "cbrt": cbrt,
    "hypot": in_f32(hypot),
    "polynomial": series(polynomial),
    "chebyshev": series(chebyshev),
    "compare": compare_,
    "select": select_,
    "convert": convert,
    "bitcast": bitcast,
}
