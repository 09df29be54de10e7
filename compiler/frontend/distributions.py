"""More distributions of `mlc.random`. Those of one uniform number each are JAX's; `gamma` and `beta` draw their own."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import math
from typing import Any

from xdsl.dialects.builtin import bf16, f16, f32, i64

from ...dialects.nd import functions as F
from ...dialects.nd import loops
from ...dialects.nd.array import Array
from ...dialects.nd.promotion import asarray, broadcast_shapes, fail
from ...dialects.nd.selection import convert
from ...dialects.nd.types import NUMPY, finfo, is_float
from . import random as R

anywhere = R.anywhere


@anywhere("shape", "dtype")
def truncated_normal(key: Any, lower: Any, upper: Any, shape: Any = (), dtype: Any = "float32") -> Array:
    """Normal of mean 0 and variance 1, given that it lies between the bounds."""
    kind = R.float_type("truncated_normal", dtype)
    wide = f32 if kind in (f16, bf16) else kind
    low, high = (F.convert(asarray(v), wide) for v in (lower, upper))
    a, b = (F.erf(v / math.sqrt(2)) for v in (low, high))
    x = math.sqrt(2) * F.erf_inv(R.uniform(key, shape, wide, a, b))
    inside = F.next_after(low, low * 0.0 + math.inf), F.next_after(high, high * 0.0 - math.inf)
    return convert(F.minimum(F.maximum(x, inside[0]), inside[1]), kind)


@anywhere("shape", "dtype")
def laplace(key: Any, shape: Any = (), dtype: Any = "float32") -> Array:
    """Laplace's distribution of mean 0 and scale 1."""
    kind = R.float_type("laplace", dtype)
    u = R.uniform(key, shape, dtype, -1.0 + float(finfo(NUMPY[kind]).epsneg), 1.0)
    return F.sign(u) * F.log1p(-F.abs_(u))


@anywhere("shape", "dtype")
def logistic(key: Any, shape: Any = (), dtype: Any = "float32") -> Array:
    """The logistic distribution of mean 0 and scale 1."""
    kind = R.float_type("logistic", dtype)
    u = R.uniform(key, shape, dtype, float(finfo(NUMPY[kind]).eps), 1.0)
    return F.log(u / (1.0 - u))


@anywhere("shape", "dtype")
def cauchy(key: Any, shape: Any = (), dtype: Any = "float32") -> Array:
    """Cauchy's distribution of location 0 and scale 1."""
    kind = R.float_type("cauchy", dtype)
    u = R.uniform(key, shape, dtype, float(finfo(NUMPY[kind]).eps), 1.0)
    return F.tan(math.pi * (u - 0.5))


@anywhere("shape", "dtype")
def rademacher(key: Any, shape: Any = (), dtype: Any = "int64") -> Array:
    """-1 or 1."""
    return F.convert(F.where(R.bernoulli(key, 0.5, shape), 1, -1), dtype)


@anywhere("count", "replace")
def choice(key: Any, x: Any, count: int, replace: bool = True) -> Array:
    """`count` parts of x along its first axis, each as likely as the others; without `replace` none twice."""
    x = asarray(x)
    n = x.shape[0] if x.ndim else 0
    if not isinstance(n, int) or not n or (not replace and count > n):
        raise fail(f"random.choice: expected an array of at least {1 if replace else count} parts, found {x.type}")
    places = R.randint(key, (count,), 0, n) if replace else R.permutation(key, n)[:count]
    return F.take(x, places, 0, "promise")


TRIES = 64
"""An element is refused in less than 1 of 20 tries."""


@anywhere("shape")
def gamma(key: Any, a: Any, shape: Any = None) -> Array:
    """The gamma distribution of shape a > 0 and scale 1; of a's shape without another.

    G. Marsaglia and W. Tsang, A Simple Method for Generating Gamma Variables (ACM TOMS 26, 2000): d v of d = a - 1/3,
    v = (1 + x / (3 sqrt d))^3, where log u < x^2 / 2 + d (1 - v + log v). Below 1 that of a + 1, times u^(1 / a).
    """
    a = F.floats(a)
    if a.dtype in (f16, bf16):
        return convert(gamma(key, convert(a, f32), shape), a.dtype)
    shape = a.shape if shape is None else tuple(shape)
    if broadcast_shapes(a.shape, shape) != shape:
        raise fail(f"random.gamma: expected a shape that {a.type} broadcasts to, found {shape}")
    a = F.broadcast_to(a, shape)
    wrong = F.logical_not(a > 0)
    small = a < 1.0
    d = F.where(wrong, 1.0, F.where(small, a + 1.0, a)) - 1.0 / 3.0

    def left(k: Array, key: Array, d: Array, out: Array, done: Array) -> Array:
        return F.logical_and(k < TRIES, F.logical_not(F.all_(done)))

    def step(k: Array, key: Array, d: Array, out: Array, done: Array) -> list[Array]:
        first, second = (R.fold_in(key, 2 * k + j) for j in (0, 1))
        x, u = R.normal(first, shape, d.dtype), R.uniform(second, shape, d.dtype)
        v = 1.0 + x / (3.0 * F.sqrt(d))
        v = v * v * v
        good = F.logical_and(v > 0, F.log(1.0 - u) < x * x * 0.5 + d * (1.0 - v + F.log(F.where(v > 0, v, 1.0))))
        out = F.where(F.logical_and(good, F.logical_not(done)), d * v, out)
        return [k + 1, key, d, out, F.logical_or(done, good)]

    start = [F.zeros((), i64) + 1, asarray(key), d, d, F.zeros(shape, i64) != 0]
    out = loops.as_long_as(left, step, start)[3]
    u = 1.0 - R.uniform(R.fold_in(key, 0), shape, a.dtype)
    out = F.where(small, out * u ** (1.0 / F.where(wrong, 1.0, a)), out)
    return F.where(wrong, float("nan"), out)


@anywhere("shape")
def beta(key: Any, a: Any, b: Any, shape: Any = None) -> Array:
    """The beta distribution: x / (x + y) of two of gamma's."""
    a, b = F.alike([F.floats(a), F.floats(b)])
    if not is_float(a.dtype):
        raise fail(f"random.beta: expected floats, found {a.type}")
    shape = broadcast_shapes(a.shape, b.shape) if shape is None else tuple(shape)
    x, y = (gamma(R.fold_in(key, k), v, shape) for k, v in enumerate((a, b)))
    return x / (x + y)


__all__ = ["beta", "cauchy", "choice", "gamma", "laplace", "logistic", "rademacher", "truncated_normal"]
