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
from xdsl.parser import Parser
from xdsl.printer import Printer

from . import dimmap
from .dimmap import DimMap
from .dims import Dim, Shape
from .op import EXACT, Array, Linear, NdOp, Partial, Props, Tolerance, bind, expand, one_dtype, op
from .types import ANALYTIC, FIELD, FLOAT, LOGICAL, Type, is_complex, kind_of, part_of, shape_of, tensor

JOINT, EACH, NEVER = Linear.JOINT, Linear.EACH, Linear.NEVER
ulp = Tolerance
Np = np.ndarray[Any, np.dtype[Any]]


def wide(x: Np) -> Np:
    """Floats as float64, complex numbers as complex128, for a reference that rounds once."""
    kind = kind_of(x.dtype)
    return x.astype(np.float64) if kind == "f" else x.astype(np.complex128) if kind == "c" else x


def precise(x: Np) -> Np:
    """As `wide`; complex128 as NumPy's longer type, for functions that square or cancel."""
    return x.astype(np.clongdouble) if x.dtype == np.complex128 else wide(x)


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


@op("neg", linear=JOINT, tolerance=EXACT, dtypes=FIELD, element="-{}")
class Neg(Unary):
    def reference(self, x: Np) -> Np:
        return -x

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [-ct]


@op("add", linear=JOINT, dtypes=FIELD, element="{} + {}")
class Add(Binary):
    def reference(self, x: Np, y: Np) -> Np:
        return x + y

    def jvp(self, tangents: Sequence[Array | None]) -> Sequence[Array | None]:
        dx, dy = tangents
        return [dy if dx is None else dx if dy is None else dx + dy]

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [ct if f else None for f in linear]


@op("sub", linear=JOINT, dtypes=FIELD, element="{} - {}")
class Sub(Binary):
    def reference(self, x: Np, y: Np) -> Np:
        return x - y

    def jvp(self, tangents: Sequence[Array | None]) -> Sequence[Array | None]:
        dx, dy = tangents
        return [dx if dy is None else -dy if dx is None else dx - dy]

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [ct if linear[0] else None, -ct if linear[1] else None]


@op("mul", linear=EACH, dtypes=FIELD, element="{} * {}")
class Mul(Binary):
    def reference(self, x: Np, y: Np) -> Np:
        return x * y

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [ct * Array(self.y), None] if linear[0] else [None, ct * Array(self.x)]


@op("div", flops=4, dtypes=FIELD, element="{} / {}")
class Div(Binary):
    """The quotient; of integers the floor of it, 0 where the divisor is 0."""

    def reference(self, x: Np, y: Np) -> Np:
        return (wide(x) / wide(y)).astype(x.dtype) if kind_of(x.dtype) in "fc" else x // y

    def jvp(self, tangents: Sequence[Array | None]) -> Sequence[Array | None]:
        dx, dy = tangents  # d(x/y) = dx/y - dy (x/y)/y
        y, q = Array(self.y), Array(self.result)
        if dy is None:
            return [None if dx is None else dx / y]
        return [-(dy * (q / y)) if dx is None else dx / y - dy * (q / y)]

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [ct / Array(self.y), None]


@op("pow", flops=30, tolerance=ulp(4), dtypes=ANALYTIC)
class Pow(Binary):
    def reference(self, x: Np, y: Np) -> Np:
        return np.power(precise(x), precise(y)).astype(x.dtype)

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


@op("abs", tolerance=EXACT, dtypes=FIELD)
class Abs(Unary):
    """The magnitude, which of a complex number is real: the distance from 0, without overflow of squares."""

    result = result_def(TensorType)
    assembly_format = None

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        dtype = one_dtype(cls, types)
        return tensor(shape_of(types[0]), part_of(dtype)) if is_complex(dtype) else types[0]

    @classmethod
    def parse(cls, parser: Parser) -> Abs:
        """The type is the operand's."""
        name = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        at = parser.pos
        x = parser.resolve_operand(name, t := parser.parse_type())
        try:
            result = cls.infer([t], {})  # pyright: ignore[reportArgumentType]
        except ValueError as e:
            parser.raise_error(f"nd.abs: {e}", at)
        return cls.create(operands=[x], result_types=[result], attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.x)
        if self.attributes:
            printer.print_string(" ")
            printer.print_attr_dict(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.x.type)

    def reference(self, x: Np) -> Np:
        return np.abs(x)

    def tangent(self, tangents: Sequence[Array | None]) -> Array | None:
        if (t := tangents[0]) is None or not is_complex(self.x.type):
            return super().tangent(tangents)
        # d|z| = re(conj(z) dz) / |z|, and 0 at 0
        from .complex import imag, real

        s = bind(Sign, Array(self.x))
        return real(s) * real(t) + imag(s) * imag(t)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [bind(Sign, x)]


@op("sign", linear=NEVER, tolerance=EXACT, dtypes=FIELD)
class Sign(Unary):
    """-1, 0 or 1; zeros keep their sign and NaN stays. Of a complex number z / |z|, of 0 itself."""

    def reference(self, x: Np) -> Np:
        if kind_of(x.dtype) == "c":
            return np.where(x == 0, x, sign_elements(wide(x))).astype(x.dtype)
        return np.where(x == 0, x, np.sign(x))

    def jvp(self, tangents: Sequence[Array | None]) -> Sequence[Array | None]:
        if (t := tangents[0]) is None or not is_complex(self.x.type):
            return [None]
        # s = z / |z|: ds = (dz - s re(conj(s) dz)) / |z| = i s im(conj(s) dz) / |z|, and 0 at 0
        from .complex import complex_, imag, real

        s, size = Array(self.result), bind(Abs, Array(self.x))
        along = (real(s) * imag(t) - imag(s) * real(t)) / where(size == 0, 1.0, size)
        return [complex_(-(imag(s) * along), real(s) * along)]


def sign_elements(x: Any) -> Np:
    """z / |z| of complex numbers, whatever their range."""
    size = np.maximum(np.abs(x.real), np.abs(x.imag))
    scaled = x / np.where((size == 0) | ~np.isfinite(size), 1, size)
    return scaled / np.abs(scaled)


@op("floor", linear=NEVER, tolerance=EXACT, dtypes=FLOAT)
class Floor(Unary):
    def reference(self, x: Np) -> Np:
        return np.floor(x)


# Roots, exponentials, trigonometry.


@op("sqrt", flops=4, dtypes=ANALYTIC)
class Sqrt(Unary):
    def reference(self, x: Np) -> Np:
        return np.sqrt(x)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [0.5 / y]


@op("rsqrt", flops=4, tolerance=ulp(2), dtypes=ANALYTIC)
class Rsqrt(Unary):
    def reference(self, x: Np) -> Np:
        return (1 / np.sqrt(wide(x))).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [-0.5 * y / x]


@op("exp", flops=12, tolerance=ulp(2), dtypes=ANALYTIC)
class Exp(Unary):
    def reference(self, x: Np) -> Np:
        return np.exp(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [y]


@op("log", flops=12, tolerance=ulp(2), dtypes=ANALYTIC)
class Log(Unary):
    def reference(self, x: Np) -> Np:
        return np.log(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [1 / x]


@op("tanh", flops=15, tolerance=ulp(3), dtypes=ANALYTIC)
class Tanh(Unary):
    def reference(self, x: Np) -> Np:
        return np.tanh(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [1 - y * y]


@op("sin", flops=15, tolerance=ulp(2), dtypes=ANALYTIC)
class Sin(Unary):
    def reference(self, x: Np) -> Np:
        return np.sin(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [bind(Cos, x)]


@op("cos", flops=15, tolerance=ulp(2), dtypes=ANALYTIC)
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
