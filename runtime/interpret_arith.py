"""The scalar operations of `arith` and `math` on NumPy arrays of any shape, with the exact dtype of their types.

One table serves the bodies of loop stages and the vector level. Integers wrap; i1 is bool; `index` is int64; max and
min propagate NaN and order -0 below +0; what the dialects leave undefined (division by zero, casts out of range) gives
some value and no warning.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    BFloat16Type,
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float32Type,
    Float64Type,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
)
from xdsl.ir import Attribute, Operation

from ..dialects.errors import CompileError

Array = np.ndarray[Any, Any]
Scalar = Callable[..., Any]

FLOATS: dict[type[Attribute], np.dtype[Any]] = {
    Float16Type: np.dtype(np.float16),
    Float32Type: np.dtype(np.float32),
    Float64Type: np.dtype(np.float64),
}
INTEGERS = {1: np.dtype(np.bool_), 8: np.dtype(np.int8), 16: np.dtype(np.int16), 32: np.dtype(np.int32)}


def numpy_type(kind: Attribute) -> np.dtype[Any]:
    """The NumPy type of an element type, or of the elements of a shaped type."""
    kind = getattr(kind, "element_type", kind)
    if isinstance(kind, IntegerType):
        return INTEGERS.get(kind.width.data, np.dtype(np.int64))
    if isinstance(kind, IndexType):
        return np.dtype(np.int64)
    if isinstance(kind, BFloat16Type):
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return FLOATS[type(kind)]


def poison(sizes: Sequence[int], element: Attribute) -> Array:
    """Memory that nobody has written: NaN, or the least integer."""
    kind = numpy_type(element)
    return np.full(tuple(sizes), np.iinfo(kind).min if kind.kind in "iu" else 0 if kind.kind == "b" else np.nan, kind)


def maximum(a: Array, b: Array) -> Array:
    """NaN propagates; of two zeros the positive one, which is their sum unless both are negative."""
    return np.where((a == 0) & (b == 0), a + b, np.maximum(a, b))


def minimum(a: Array, b: Array) -> Array:
    return np.where((a == 0) & (b == 0), -(-a + -b), np.minimum(a, b))


def folded(f: np.ufunc, value: Array, axis: tuple[int, ...], keepdims: bool = False) -> Array:
    """`f.reduce`, which takes any zero for the largest or least; of zeros, max gives +0 and min -0 if there is one."""
    out = np.asarray(f.reduce(value, axis=axis, dtype=value.dtype, keepdims=keepdims))
    if value.dtype.kind != "f" or f not in (np.maximum, np.minimum):
        return out
    decide = np.logical_and if f is np.maximum else np.logical_or
    negative = decide.reduce(np.signbit(value), axis=axis, keepdims=keepdims)
    return np.where(out == 0, np.where(negative, -out.dtype.type(0), out.dtype.type(0)), out)


def divide_towards_zero(a: Array, b: Array) -> Array:
    quotient = np.floor_divide(a, b)
    return np.where((quotient < 0) & (quotient * b != a), quotient + 1, quotient)


def unsigned(a: Array) -> Array:
    return a if a.dtype == np.bool_ else a.view(np.dtype(f"u{a.dtype.itemsize}"))


def on_unsigned(f: Scalar) -> Scalar:
    """Apply `f` to the operands read as unsigned, and give the result the operands' type again."""

    def run(a: Array, b: Array) -> Array:
        result = np.asarray(f(unsigned(np.asarray(a)), unsigned(np.asarray(b))))
        return result if result.dtype == np.bool_ else result.view(np.asarray(a).dtype)

    return run


def shift(f: Scalar) -> Scalar:
    """Shifts by the width or more are undefined in `arith`; the amount is masked."""

    def run(a: Array, b: Array) -> Array:
        return f(a, b & (np.asarray(a).dtype.itemsize * 8 - 1))

    return run


def count_leading_zeros(a: Array) -> Array:
    """The width less the place of the highest 1, found by filling everything below it with ones."""
    bits, width = unsigned(a), a.dtype.itemsize * 8
    for k in (1, 2, 4, 8, 16, 32):
        bits = bits | (bits >> min(k, width - 1))
    return width - np.bitwise_count(bits).astype(np.int64)


def elementwise(f: Callable[[float], float]) -> Scalar:
    """A function of Python's `math`, evaluated in double precision."""
    vectorized = np.vectorize(f, otypes=[np.float64])
    return lambda a: vectorized(a) if np.size(a) else np.zeros(np.shape(a))


BINARY: dict[str, Scalar] = {
    "arith.addf": np.add,
    "arith.subf": np.subtract,
    "arith.mulf": np.multiply,
    "arith.divf": np.divide,
    "arith.remf": np.fmod,
    "arith.maximumf": maximum,
    "arith.minimumf": minimum,
    "arith.maxnumf": np.fmax,
    "arith.minnumf": np.fmin,
    "arith.addi": np.add,
    "arith.subi": np.subtract,
    "arith.muli": np.multiply,
    "arith.divsi": divide_towards_zero,
    "arith.divui": on_unsigned(np.floor_divide),
    "arith.floordivsi": np.floor_divide,
    "arith.ceildivsi": lambda a, b: -np.floor_divide(-a, b),
    "arith.remsi": np.fmod,
    "arith.remui": on_unsigned(np.remainder),
    "arith.andi": np.bitwise_and,
    "arith.ori": np.bitwise_or,
    "arith.xori": np.bitwise_xor,
    "arith.shli": shift(np.left_shift),
    "arith.shrsi": shift(np.right_shift),
    "arith.shrui": shift(on_unsigned(np.right_shift)),
    "arith.maxsi": np.maximum,
    "arith.minsi": np.minimum,
    "arith.maxui": on_unsigned(np.maximum),
    "arith.minui": on_unsigned(np.minimum),
    "math.powf": np.power,
    "math.ipowi": np.power,
    "math.fpowi": np.power,
    "math.copysign": np.copysign,
    "math.atan2": np.arctan2,
}
UNARY: dict[str, Scalar] = {
    "arith.negf": np.negative,
    "math.absf": np.abs,
    "math.absi": np.abs,
    "math.acos": np.arccos,
    "math.acosh": np.arccosh,
    "math.asin": np.arcsin,
    "math.asinh": np.arcsinh,
    "math.atan": np.arctan,
    "math.atanh": np.arctanh,
    "math.cbrt": np.cbrt,
    "math.ceil": np.ceil,
    "math.cos": np.cos,
    "math.cosh": np.cosh,
    "math.ctlz": count_leading_zeros,
    "math.ctpop": lambda a: np.bitwise_count(unsigned(a)),
    "math.erf": elementwise(math.erf),
    "math.exp": np.exp,
    "math.exp2": np.exp2,
    "math.expm1": np.expm1,
    "math.floor": np.floor,
    "math.log": np.log,
    "math.log10": np.log10,
    "math.log1p": np.log1p,
    "math.log2": np.log2,
    "math.round": lambda a: np.copysign(np.floor(np.abs(a) + 0.5), a),
    "math.roundeven": np.rint,
    "math.rsqrt": lambda a: np.reciprocal(np.sqrt(a)),
    "math.sin": np.sin,
    "math.sinh": np.sinh,
    "math.sqrt": np.sqrt,
    "math.tan": np.tan,
    "math.tanh": np.tanh,
    "math.trunc": np.trunc,
}
TERNARY: dict[str, Scalar] = {
    "arith.select": np.where,
    "math.fma": lambda a, b, c: a.astype(np.float64) * b + c,
}
CASTS = (
    "arith.bitcast",
    "arith.extf",
    "arith.extsi",
    "arith.extui",
    "arith.fptosi",
    "arith.fptoui",
    "arith.index_cast",
    "arith.index_castui",
    "arith.sitofp",
    "arith.truncf",
    "arith.trunci",
    "arith.uitofp",
)
SIGNED_COMPARISON = (np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)


def predicate_of(op: Operation) -> int:
    return cast(Any, op.properties["predicate"]).value.data


def compare_integers(op: Operation, a: Array, b: Array) -> Array:
    """Predicates 0 to 5 compare as signed, where true of i1 is -1; 6 to 9 as unsigned."""
    predicate = predicate_of(op)
    if predicate >= 6:
        return SIGNED_COMPARISON[predicate - 4](unsigned(np.asarray(a)), unsigned(np.asarray(b)))
    if np.asarray(a).dtype == np.bool_ and predicate >= 2:
        a, b = -np.asarray(a, np.int8), -np.asarray(b, np.int8)
    return SIGNED_COMPARISON[predicate](a, b)


def compare_floats(op: Operation, a: Array, b: Array) -> Array:
    """Predicates: false, the ordered ones, ord, the unordered ones, uno, true."""
    predicate = predicate_of(op)
    unordered = np.isnan(a) | np.isnan(b)
    order = (np.equal, np.greater, np.greater_equal, np.less, np.less_equal, np.not_equal)
    if predicate in (0, 15):
        return np.broadcast_to(np.asarray(predicate == 15), np.shape(unordered)).copy()
    if predicate == 7:
        return np.logical_not(unordered)
    if predicate == 14:
        return np.asarray(unordered)
    if predicate <= 6:
        return order[predicate - 1](a, b) & ~unordered
    return order[predicate - 8](a, b) | unordered


def convert(op: Operation, a: Array) -> Array:
    a, target = np.asarray(a), numpy_type(op.results[0].type)
    if op.name == "arith.bitcast":
        return a.view(target)
    if op.name in ("arith.uitofp", "arith.extui", "arith.index_castui"):
        return unsigned(a).astype(target)
    if op.name in ("arith.extsi", "arith.sitofp", "arith.index_cast") and a.dtype == np.bool_:
        return -a.astype(np.int8).astype(target)
    if op.name in ("arith.trunci", "arith.fptosi", "arith.index_cast") and target == np.bool_:
        return (a.astype(np.int64) & 1).astype(np.bool_)
    return a.astype(target)


def constant(op: Operation) -> Array:
    assert isinstance(op, arith.ConstantOp)
    value, kind = op.value, numpy_type(op.results[0].type)
    if isinstance(value, DenseIntOrFPElementsAttr):
        shape = value.get_shape()
        values = np.array([bool(v) for v in value.get_values()] if kind == np.bool_ else value.get_values(), kind)
        return np.full(shape, values[0], kind) if values.size == 1 else values.reshape(shape)
    if isinstance(value, FloatAttr):
        return np.asarray(value.value.data, kind)
    assert isinstance(value, IntegerAttr)
    number = value.value.data
    return np.asarray(bool(number), kind) if kind == np.bool_ else np.asarray(number).astype(kind)


def evaluate(op: Operation, args: Sequence[Array]) -> Array:
    """The result of a scalar op at every element of its (broadcastable) operands."""
    name = op.name
    with np.errstate(all="ignore"):
        if name == "arith.constant":
            return constant(op)
        if name == "arith.cmpi":
            return np.asarray(compare_integers(op, args[0], args[1]))
        if name == "arith.cmpf":
            return np.asarray(compare_floats(op, args[0], args[1]))
        if name in CASTS:
            return np.asarray(convert(op, args[0]))
        f = BINARY.get(name) or UNARY.get(name) or TERNARY.get(name)
        if f is None:
            raise CompileError(f"the interpreter has no {name}", op.location)
        return np.asarray(f(*args)).astype(numpy_type(op.results[0].type), copy=False)


NAMES = ("arith.constant", "arith.cmpi", "arith.cmpf", *CASTS, *BINARY, *UNARY, *TERNARY)
"""The ops that `evaluate` knows."""
