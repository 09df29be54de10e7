"""Composites of exponentials: sigmoid, silu and logaddexp, from which most activation functions are made; gelu."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .composite import Composite
from .elementwise import Abs, Binary, Exp, Max, Np, Unary, where, wide
from .op import Array, Partial, Tolerance, bind, op
from .transcendental import LN2, Erf, Log1p, erf_elements
from .types import ANALYTIC, FLOAT, is_complex, kind_of


@op("sigmoid", flops=20, tolerance=Tolerance(ulp=4), dtypes=ANALYTIC)
class Sigmoid(Unary, Composite):
    """1 / (1 + exp(-x)), also where exp(-x) overflows: exp(x) / (1 + exp(x)) below 0."""

    def decompose(self, x: Array) -> Array:
        if is_complex(x.type):
            return 1 / (1 + bind(Exp, -x))
        e = bind(Exp, -bind(Abs, x))
        return where(x >= 0, 1.0, e) / (1 + e)

    def reference(self, x: Np) -> Np:
        return sigmoid_elements(wide(x)).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [y * (1 - y)]


@op("silu", flops=24, tolerance=Tolerance(ulp=8), dtypes=FLOAT)
class Silu(Unary, Composite):
    """x sigmoid(x), also known as swish; NaN of -infinity."""

    def decompose(self, x: Array) -> Array:
        # x h / (1 + h^2) h with h^2 = exp(x) below 0: exp(x) itself is subnormal before the result is
        h = bind(Exp, -0.5 * bind(Abs, x))
        return where(x >= 0, x, x * h * h) / (1 + h * h)

    def reference(self, x: Np) -> Np:
        return (wide(x) * sigmoid_elements(wide(x))).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        s = bind(Sigmoid, x)
        return [s * (1 + x * (1 - s))]


ROOT_HALF = 0.7071067811865476
INVERSE_ROOT_2_PI = 0.3989422804014327


@op("gelu_erf", flops=24, tolerance=Tolerance(ulp=8, sums=2), dtypes=FLOAT)
class GeluErf(Unary, Composite):
    """x/2 (1 + erf(x / sqrt 2)): x times the chance that a normal variable is below x; `nd.gelu` is near it."""

    def decompose(self, x: Array) -> Array:
        return 0.5 * x * (1 + bind(Erf, ROOT_HALF * x))

    def reference(self, x: Np) -> Np:
        v = wide(x)
        return (0.5 * v * (1 + erf_elements(ROOT_HALF * v))).astype(x.dtype)

    def magnitude(self, x: Np) -> Any:
        return np.abs(wide(x))  # 1 + erf cancels below 0

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        return [0.5 * (1 + bind(Erf, ROOT_HALF * x)) + x * (INVERSE_ROOT_2_PI * bind(Exp, -0.5 * x * x))]


@op("logaddexp", flops=30, tolerance=Tolerance(ulp=4, sums=4), dtypes=FLOAT)
class LogAddExp(Binary, Composite):
    """log(exp(x) + exp(y)) without overflow."""

    def decompose(self, x: Array, y: Array) -> Array:
        top = bind(Max, x, y)
        more = bind(Log1p, bind(Exp, -bind(Abs, x - y)))
        return top + where(x == y, LN2, more)  # the difference of equal infinities is NaN

    def reference(self, x: Np, y: Np) -> Np:
        return np.logaddexp(wide(x), wide(y)).astype(x.dtype)

    def magnitude(self, x: Np, y: Np) -> Any:
        return np.abs(np.maximum(wide(x), wide(y))) + 1

    def derivative(self, x: Array, y: Array, z: Array) -> Sequence[Partial]:
        return [lambda: bind(Sigmoid, x - y), lambda: bind(Sigmoid, y - x)]


def sigmoid_elements(x: Np) -> Np:
    if kind_of(x.dtype) == "c":
        return 1 / (1 + np.exp(-x))
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)
