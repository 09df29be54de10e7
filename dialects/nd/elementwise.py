"""Elementwise ops: all operands and the result have one shape. Their dimension map is `a b.., a b.. -> a b..`.

Semantics: NaN propagates through every op, max and min included; -0 is kept and is below +0; integers wrap; integer
division rounds down and gives 0 where the divisor is 0; `and`, `or`, `xor`, `not` work on every bit.
References evaluate in float64 and round once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import VarConstraint, operand_def, result_def

from . import dimmap
from .dimmap import DimMap
from .dims import Dim, Shape
from .op import EXACT, Array, Linear, NdOp, Partial, Props, Tolerance, bind, expand, one_dtype, op
from .types import FLOAT, LOGICAL, Type, kind_of

JOINT, EACH, NEVER = Linear.JOINT, Linear.EACH, Linear.NEVER
ulp = Tolerance
Np = np.ndarray[Any, np.dtype[Any]]


def wide(x: Np) -> Np:
    """Floats as float64, for a reference that rounds once."""
    return x.astype(np.float64) if kind_of(x.dtype) == "f" else x


class Elementwise(NdOp):
    """A new op of this family states its element's value (`reference`) and, if smooth, its partial derivatives."""

    TOLERANCE: ClassVar[Tolerance] = ulp(1)

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        return dimmap.pointwise(len(shapes), len(shapes[0]))

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        same_type(types)
        one_dtype(cls, types)
        return types[0]

    def derivative(self, *args: Any, **kwargs: Any) -> Sequence[Partial]:
        """Partial derivatives by each operand, from the operands and the result."""
        raise NotImplementedError(self.name)

    def tangent(self, tangents: Sequence[Array | None]) -> Array | None:
        total = None
        for t, d in zip(tangents, self.derivative(*map(Array, (*self.operands, *self.results))), strict=True):
            if t is not None and d is not None:
                part = bind(Mul, t, d if isinstance(d, Array) else d())
                total = part if total is None else bind(Add, total, part)
        return total

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        return self.again([a if f else expand(a, size) for a, f in zip(args, flags, strict=True)])


def same_type(types: Sequence[Type]) -> None:
    first = types[0]
    for k, t in enumerate(types):
        if t is not first and t != first:
            raise ValueError(f"expected operands of one type, found {first} and {t} (operand {k})")


class Unary(Elementwise):
    T: ClassVar = VarConstraint("T", TensorType.constr())
    x = operand_def(T)
    result = result_def(T)
    assembly_format = "$x attr-dict `:` type($result)"


class Binary(Elementwise):
    T: ClassVar = VarConstraint("T", TensorType.constr())
    x = operand_def(T)
    y = operand_def(T)
    result = result_def(T)
    assembly_format = "$x `,` $y attr-dict `:` type($result)"


# Arithmetic.


@op("neg", linear=JOINT, tolerance=EXACT, element="-{}")
class Neg(Unary):
    def reference(self, x: Np) -> Np:
        return -x

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [-ct]


@op("add", linear=JOINT, element="{} + {}")
class Add(Binary):
    def reference(self, x: Np, y: Np) -> Np:
        return x + y

    def jvp(self, tangents: Sequence[Array | None]) -> Sequence[Array | None]:
        dx, dy = tangents
        return [dy if dx is None else dx if dy is None else dx + dy]

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [ct if f else None for f in linear]


@op("sub", linear=JOINT, element="{} - {}")
class Sub(Binary):
    def reference(self, x: Np, y: Np) -> Np:
        return x - y

    def jvp(self, tangents: Sequence[Array | None]) -> Sequence[Array | None]:
        dx, dy = tangents
        return [dx if dy is None else -dy if dx is None else dx - dy]

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [ct if linear[0] else None, -ct if linear[1] else None]


@op("mul", linear=EACH, element="{} * {}")
class Mul(Binary):
    def reference(self, x: Np, y: Np) -> Np:
        return x * y

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [ct * Array(self.y), None] if linear[0] else [None, ct * Array(self.x)]


@op("div", flops=4, element="{} / {}")
class Div(Binary):
    """The quotient; of integers the floor of it, 0 where the divisor is 0."""

    def reference(self, x: Np, y: Np) -> Np:
        return x / y if kind_of(x.dtype) == "f" else x // y

    def jvp(self, tangents: Sequence[Array | None]) -> Sequence[Array | None]:
        dx, dy = tangents  # d(x/y) = dx/y - dy (x/y)/y
        y, q = Array(self.y), Array(self.result)
        if dy is None:
            return [None if dx is None else dx / y]
        return [-(dy * (q / y)) if dx is None else dx / y - dy * (q / y)]

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [ct / Array(self.y), None]


@op("pow", flops=30, tolerance=ulp(4), dtypes=FLOAT)
class Pow(Binary):
    def reference(self, x: Np, y: Np) -> Np:
        return np.power(wide(x), wide(y)).astype(x.dtype)

    def derivative(self, x: Array, y: Array, z: Array) -> Sequence[Partial]:
        # y x^(y-1), and 0 for x^0; z ln x, and 0 for 0^y
        return [
            lambda: where(y == 0, 0.0, y * bind(Pow, x, where(y == 0, 1.0, y - 1))),
            lambda: z * log(where(x == 0, 1.0, x)),
        ]


@op("max", tolerance=EXACT)
class Max(Binary):
    def reference(self, x: Np, y: Np) -> Np:
        return np.where((x == 0) & (y == 0), x + y, np.maximum(x, y))  # max(-0, +0) = +0

    def derivative(self, x: Array, y: Array, z: Array) -> Sequence[Partial]:
        return [lambda: share(x, y), lambda: share(y, x)]


@op("min", tolerance=EXACT)
class Min(Binary):
    def reference(self, x: Np, y: Np) -> Np:
        return np.where((x == 0) & (y == 0), -(-x + -y), np.minimum(x, y))  # min(-0, +0) = -0

    def derivative(self, x: Array, y: Array, z: Array) -> Sequence[Partial]:
        return [lambda: share(y, x), lambda: share(x, y)]


@op("abs", tolerance=EXACT)
class Abs(Unary):
    def reference(self, x: Np) -> Np:
        return np.abs(x)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [bind(Sign, x)]


@op("sign", linear=NEVER, tolerance=EXACT)
class Sign(Unary):
    """-1, 0 or 1; zeros keep their sign and NaN stays."""

    def reference(self, x: Np) -> Np:
        return np.where(x == 0, x, np.sign(x))


@op("floor", linear=NEVER, tolerance=EXACT, dtypes=FLOAT)
class Floor(Unary):
    def reference(self, x: Np) -> Np:
        return np.floor(x)


# Roots, exponentials, trigonometry.


@op("sqrt", flops=4, dtypes=FLOAT)
class Sqrt(Unary):
    def reference(self, x: Np) -> Np:
        return np.sqrt(x)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [0.5 / y]


@op("rsqrt", flops=4, tolerance=ulp(2), dtypes=FLOAT)
class Rsqrt(Unary):
    def reference(self, x: Np) -> Np:
        return (1 / np.sqrt(wide(x))).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [-0.5 * y / x]


@op("exp", flops=12, tolerance=ulp(2), dtypes=FLOAT)
class Exp(Unary):
    def reference(self, x: Np) -> Np:
        return np.exp(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [y]


@op("log", flops=12, tolerance=ulp(2), dtypes=FLOAT)
class Log(Unary):
    def reference(self, x: Np) -> Np:
        return np.log(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [1 / x]


@op("tanh", flops=15, tolerance=ulp(3), dtypes=FLOAT)
class Tanh(Unary):
    def reference(self, x: Np) -> Np:
        return np.tanh(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [1 - y * y]


@op("sin", flops=15, tolerance=ulp(2), dtypes=FLOAT)
class Sin(Unary):
    def reference(self, x: Np) -> Np:
        return np.sin(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [bind(Cos, x)]


@op("cos", flops=15, tolerance=ulp(2), dtypes=FLOAT)
class Cos(Unary):
    def reference(self, x: Np) -> Np:
        return np.cos(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [-bind(Sin, x)]


# Logic: bit by bit.


@op("and", linear=NEVER, tolerance=EXACT, dtypes=LOGICAL, element="{} & {}")
class And(Binary):
    def reference(self, x: Np, y: Np) -> Np:
        return x & y


@op("or", linear=NEVER, tolerance=EXACT, dtypes=LOGICAL, element="{} | {}")
class Or(Binary):
    def reference(self, x: Np, y: Np) -> Np:
        return x | y


@op("xor", linear=NEVER, tolerance=EXACT, dtypes=LOGICAL, element="{} ^ {}")
class Xor(Binary):
    def reference(self, x: Np, y: Np) -> Np:
        return x ^ y


@op("not", linear=NEVER, tolerance=EXACT, dtypes=LOGICAL, element="~{}")
class Not(Unary):
    def reference(self, x: Np) -> Np:
        return ~x


# What the rules above share.


def where(p: Array, x: Any, y: Any) -> Array:
    from .functions import where

    return where(p, x, y)


def log(x: Array) -> Array:
    return bind(Log, x)


def share(x: Array, y: Array) -> Array:
    """1 where x > y, 1/2 where equal, else 0: the symmetric choice at a tie."""
    return where(x > y, 1.0, where(x == y, 0.5, full_like(x, 0.0)))


def full_like(x: Array, value: float) -> Array:
    from .constant import full

    return full(value, x.type)
