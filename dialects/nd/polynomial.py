"""Polynomials and Chebyshev series of one variable with constant coefficients: what approximations are made of.

    nd.polynomial %x [1.0, 0.5, 0.25] : tensor<4x8xf32>    1 + x/2 + x^2/4
    nd.chebyshev %x [1.0, 0.5, 0.25] : tensor<4x8xf32>     T0(x) + T1(x)/2 + T2(x)/4

Coefficients are real numbers of no element type, from the constant term up, at least one. The element type rounds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Data
from xdsl.irdl import VarConstraint, irdl_attr_definition, operand_def, prop_def, result_def
from xdsl.parser import AttrParser
from xdsl.printer import Printer

from .attributes import NumberAttr
from .elementwise import Elementwise, Np, full_like, wide
from .op import Array, Partial, Props, Tolerance, bind, op
from .types import FLOAT, Type


@irdl_attr_definition
class CoefficientsAttr(Data[tuple[float, ...]]):
    """`[1.0, -0.5]`: real numbers, each with the fewest digits that read back exactly."""

    name = "nd.coefficients"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[float, ...]:
        one = NumberAttr.parse_parameter
        return tuple(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: one(parser)))

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_square_brackets():
            printer.print_list(self.data, lambda c: NumberAttr(c).print_parameter(printer))


class Series(Elementwise):
    T: ClassVar = VarConstraint("T", TensorType.constr())
    x = operand_def(T)
    coefficients = prop_def(CoefficientsAttr)
    result = result_def(T)
    assembly_format = "$x $coefficients attr-dict `:` type($result)"

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        given = props["coefficients"]
        if not isinstance(given, CoefficientsAttr) or not given.data:
            raise ValueError(f"expected at least one coefficient, found {given}")
        return super().infer(types, props)

    def terms(self, x: Np) -> int:
        return len(self.coefficients.data)


@op("polynomial", flops=16, tolerance=Tolerance(ulp=1, sums=2), dtypes=FLOAT)
class Polynomial(Series):
    """`nd.polynomial %x [c0, c1, c2]`: c0 + c1 x + c2 x^2."""

    def reference(self, x: Np) -> Np:
        return horner(self.coefficients.data, wide(x)).astype(x.dtype)

    def magnitude(self, x: Np) -> Any:
        return horner([abs(c) for c in self.coefficients.data], np.abs(wide(x)))

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        slope = [k * c for k, c in enumerate(self.coefficients.data)][1:]
        return [polynomial(x, slope) if slope else full_like(x, 0.0)]


@op("chebyshev", flops=48, tolerance=Tolerance(ulp=1, sums=4), dtypes=FLOAT)
class Chebyshev(Series):
    """`nd.chebyshev %x [c0, c1, c2]`: c0 T0(x) + c1 T1(x) + c2 T2(x), for x in [-1, 1]."""

    def reference(self, x: Np) -> Np:
        return clenshaw(self.coefficients.data, wide(x)).astype(x.dtype)

    def magnitude(self, x: Np) -> Any:
        # beyond [-1, 1] the terms grow as (2 |x|)^k
        size = np.maximum(2 * np.abs(wide(x)), 1)
        count = len(self.coefficients.data)
        return sum(abs(c) for c in self.coefficients.data) * count * np.where(size > 2, size**count, 1)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        # T_n' = n U_(n-1): c'_(k-1) = c'_(k+1) + 2 k c_k, and half of that for k = 1
        c = self.coefficients.data
        slope = [0.0] * (len(c) + 1)
        for k in range(len(c) - 1, 0, -1):
            slope[k - 1] = slope[k + 1] + 2 * k * c[k]
        slope[0] /= 2
        return [chebyshev(x, slope[: len(c) - 1]) if len(c) > 1 else full_like(x, 0.0)]


def horner(coefficients: Sequence[float], x: Np) -> Np:
    total = np.full(x.shape, coefficients[-1], np.float64)
    for c in coefficients[-2::-1]:
        total = total * x + c
    return total


def clenshaw(coefficients: Sequence[float], x: Np) -> Np:
    """b_k = c_k + 2 x b_(k+1) - b_(k+2); the sum is c_0 + x b_1 - b_2."""
    one, two = np.zeros(x.shape), np.zeros(x.shape)
    for c in coefficients[:0:-1]:
        one, two = c + 2 * x * one - two, one
    return coefficients[0] + x * one - two


def polynomial(x: Array, coefficients: Sequence[float]) -> Array:
    """The sum of coefficients[k] x^k."""
    return bind(Polynomial, x, coefficients=CoefficientsAttr(tuple(map(float, coefficients))))


def chebyshev(x: Array, coefficients: Sequence[float]) -> Array:
    """The sum of coefficients[k] T_k(x)."""
    return bind(Chebyshev, x, coefficients=CoefficientsAttr(tuple(map(float, coefficients))))
