"""Elementwise ops beyond the four: truncating division, remainders, clamp, roundings, shifts and counts of bits.

The quotient of integers is 0 where the divisor is 0, and the remainder then the dividend, so that x = q y + r always;
the smallest integer over -1 wraps to itself, with remainder 0. Remainders of floats are exact. A shift by a negative
amount, or by the width or more, gives 0, or the sign (-1 or 0) where it is to the right of a signed number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import VarConstraint, operand_def, result_def

from .elementwise import Binary, Elementwise, Np, Unary, full_like, where
from .op import EXACT, Array, Linear, Partial, bind, op
from .types import FLOAT, INTEGER, NUMERIC, kind_of

# Division.


@op("quotient", linear=Linear.NEVER, tolerance=EXACT, flops=4, dtypes=INTEGER)
class Quotient(Binary):
    """The quotient rounded towards zero; 0 where the divisor is 0. (`nd.div` rounds down.)"""

    def reference(self, x: Np, y: Np) -> Np:
        return ((x - remainders(x, y)) // np.where(y == 0, 1, y)).astype(x.dtype)


class Remainder(Binary):
    def derivative(self, x: Array, y: Array, z: Array) -> Sequence[Partial]:
        # x - q y, where q is whole: (x - z) / y but for its rounding
        return [full_like(x, 1.0), lambda: -bind(Round, (x - z) / y)]


@op("rem", tolerance=EXACT, flops=8, dtypes=NUMERIC)
class Rem(Remainder):
    """x - y trunc(x / y), exactly: C's `%` and `fmod`. It has the sign of x, -0 included."""

    def reference(self, x: Np, y: Np) -> Np:
        return remainders(x, y)


@op("mod", tolerance=EXACT, flops=10, dtypes=NUMERIC)
class Mod(Remainder):
    """x - y floor(x / y): Python's `%`. It has the sign of y, of zeros too.

    Of floats the exact remainder, or y less the remainder of the other sign, rounded once.
    """

    TOLERANCE: ClassVar = EXACT

    def reference(self, x: Np, y: Np) -> Np:
        r = remainders(x, y)
        other = (r != 0) & ((r < 0) != (y < 0))
        return np.where(other, r + y, np.copysign(r, y) if kind_of(x.dtype) == "f" else r).astype(x.dtype)


def remainders(x: Np, y: Np) -> Np:
    r = np.fmod(x, y)
    return np.where(y == 0, x, r) if kind_of(x.dtype) != "f" else r


# Limits and signs.


@op("clamp", tolerance=EXACT, flops=2)
class Clamp(Elementwise):
    """`nd.clamp %low, %x, %high`: min(max(x, low), high); NaN where any operand is.

    At a bound the tangent is that of x.
    """

    T: ClassVar = VarConstraint("T", TensorType.constr())
    low = operand_def(T)
    x = operand_def(T)
    high = operand_def(T)
    result = result_def(T)
    assembly_format = "$low `,` $x `,` $high attr-dict `:` type($result)"

    def reference(self, low: Np, x: Np, high: Np) -> Np:
        above = np.where((x == 0) & (low == 0), x + low, np.maximum(x, low))
        both_zero = (above == 0) & (high == 0)
        negative = np.signbit(above) | np.signbit(high) if kind_of(x.dtype) == "f" else False
        zero = np.where(negative, -np.zeros_like(x), np.zeros_like(x))
        return np.where(both_zero, zero, np.minimum(above, high)).astype(x.dtype)

    def derivative(self, low: Array, x: Array, high: Array, y: Array) -> Sequence[Partial]:
        def one(p: Array) -> Array:
            return where(p, 1.0, full_like(x, 0.0))

        return [
            lambda: one((x < low) & (low <= high)),
            lambda: one((low <= x) & (x <= high)),
            lambda: one((high < x) | (high < low)),
        ]


@op("copysign", tolerance=EXACT, dtypes=FLOAT)
class CopySign(Binary):
    """|x| with the sign of y, which -0 and NaN have too."""

    def reference(self, x: Np, y: Np) -> Np:
        return np.copysign(x, y)

    def derivative(self, x: Array, y: Array, z: Array) -> Sequence[Partial]:
        return [lambda: bind(CopySign, full_like(x, 1.0), x) * bind(CopySign, full_like(x, 1.0), y), None]


# Rounding to whole numbers; -0, and what rounds to it, keeps its sign.


@op("ceil", linear=Linear.NEVER, tolerance=EXACT, dtypes=FLOAT)
class Ceil(Unary):
    def reference(self, x: Np) -> Np:
        return np.ceil(x)


@op("trunc", linear=Linear.NEVER, tolerance=EXACT, dtypes=FLOAT)
class Trunc(Unary):
    def reference(self, x: Np) -> Np:
        return np.trunc(x)


@op("round", linear=Linear.NEVER, tolerance=EXACT, dtypes=FLOAT)
class Round(Unary):
    """To the nearest whole number, of two equally near the even one."""

    def reference(self, x: Np) -> Np:
        return np.rint(x)


@op("round_away", linear=Linear.NEVER, tolerance=EXACT, dtypes=FLOAT)
class RoundAway(Unary):
    """To the nearest whole number, of two equally near the one further from 0."""

    def reference(self, x: Np) -> Np:
        whole = np.trunc(x)
        with np.errstate(invalid="ignore"):  # inf - inf
            away = np.abs(x - whole) >= 0.5
        return np.where(away, whole + np.copysign(x.dtype.type(1), x), whole).astype(x.dtype)


# Bits.


def width(x: Np) -> int:
    return x.dtype.itemsize * 8


def outside(x: Np, amount: Np) -> Np:
    """Where a shift takes every bit out."""
    return (amount < 0) | (amount >= width(x))


@op("shl", linear=Linear.NEVER, tolerance=EXACT, dtypes=INTEGER, element="{} << {}")
class Shl(Binary):
    def reference(self, x: Np, y: Np) -> Np:
        out = outside(x, y)
        return np.where(out, 0, x << np.where(out, 0, y).astype(x.dtype)).astype(x.dtype)


@op("shr", linear=Linear.NEVER, tolerance=EXACT, dtypes=INTEGER, element="{} >> {}")
class Shr(Binary):
    """Copies of the sign move in at a signed number, zeros at an unsigned one."""

    def reference(self, x: Np, y: Np) -> Np:
        out = outside(x, y)
        last = x >> x.dtype.type(width(x) - 1) if x.dtype.kind == "i" else np.zeros_like(x)
        return np.where(out, last, x >> np.where(out, 0, y).astype(x.dtype)).astype(x.dtype)


@op("popcount", linear=Linear.NEVER, tolerance=EXACT, dtypes=INTEGER)
class PopCount(Unary):
    """How many bits are 1."""

    def reference(self, x: Np) -> Np:
        unsigned = x.astype(np.dtype(f"u{x.dtype.itemsize}"))
        return np.bitwise_count(unsigned).astype(x.dtype)


@op("count_leading_zeros", linear=Linear.NEVER, tolerance=EXACT, dtypes=INTEGER)
class CountLeadingZeros(Unary):
    """How many bits above the highest 1; the width for 0."""

    def reference(self, x: Np) -> Np:
        unsigned: Any = x.astype(np.dtype(f"u{x.dtype.itemsize}"))
        for k in (1, 2, 4, 8, 16, 32):  # ones below the highest 1
            if k < width(x):
                unsigned = unsigned | (unsigned >> unsigned.dtype.type(k))
        return (width(x) - np.bitwise_count(unsigned)).astype(x.dtype)
