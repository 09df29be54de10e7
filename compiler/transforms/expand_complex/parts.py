"""A complex value as two real ones, and the arithmetic of such pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from xdsl.dialects.builtin import f32, f64
from xdsl.ir import Attribute

from ....dialects.nd import functions as F
from ....dialects.nd import movement
from ....dialects.nd.concatenation import concat
from ....dialects.nd.constant import Constant
from ....dialects.nd.elementwise import full_like
from ....dialects.nd.op import Array, zeros_like
from ....dialects.nd.selection import convert
from ....dialects.nd.types import Type, is_complex, is_tensor, part_of, shape_of, tensor


class Pair(NamedTuple):
    """re + i im."""

    re: Array
    im: Array


Function = Callable[[Pair], Pair]

# Types.


def part_type(t: Attribute) -> Attribute:
    """The type of each of the two values that stand for one of this type; of a real one itself."""
    return tensor(shape_of(t), part_of(t.element_type)) if is_tensor(t) and is_complex(t) else t


def packed_type(t: Attribute) -> Type:
    """The real type of the same bytes: the two parts are the last dimension."""
    assert is_tensor(t) and is_complex(t)
    return tensor((*shape_of(t), 2), part_of(t.element_type))


def split_types(types: Any) -> list[Attribute]:
    """Each complex type twice, as that of its parts."""
    return [part for t in types for part in ([part_type(t)] * 2 if is_complex(t) else [t])]


# Values.


def real_pair(x: Array) -> Pair:
    return Pair(x, zeros_like(x))


def is_zero(x: Array) -> bool:
    """Is it known to be 0 (of either sign) everywhere?"""
    owner = x.value.owner
    return isinstance(owner, Constant) and owner.splat == 0


def pack(z: Pair) -> Array:
    """The parts side by side in a new last dimension."""
    shape = (*z.re.shape, 1)
    return concat([movement.reshape(p, shape) for p in z], z.re.ndim)


def unpack(x: Array) -> Pair:
    shape, last = x.shape[:-1], x.ndim - 1
    start, step = [0] * last, [1] * x.ndim
    re, im = (movement.reshape(movement.slice_(x, [*start, k], step, (*shape, 1)), shape) for k in (0, 1))
    return Pair(re, im)


def pick(p: Array, x: Pair, y: Pair) -> Pair:
    return Pair(F.where(p, x.re, y.re), F.where(p, x.im, y.im))


def to_type(z: Pair, dtype: Attribute) -> Pair:
    return Pair(convert(z.re, dtype), convert(z.im, dtype))


def in_double(fn: Function) -> Function:
    """The function on f32 by way of f64, where squares neither overflow nor cancel to nothing."""

    def widened(z: Pair) -> Pair:
        return to_type(fn(to_type(z, f64)), f32) if z.re.dtype == f32 else fn(z)

    return widened


# Arithmetic.


def real(z: Pair) -> Array:
    return z.re


def imag(z: Pair) -> Array:
    return z.im


def neg(z: Pair) -> Pair:
    return Pair(-z.re, -z.im)


def add(x: Pair, y: Pair) -> Pair:
    return Pair(x.re + y.re, x.im + y.im)


def sub(x: Pair, y: Pair) -> Pair:
    return Pair(x.re - y.re, x.im - y.im)


def mul(x: Pair, y: Pair) -> Pair:
    return Pair(x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re)


def fused_mul(x: Pair, y: Pair) -> Pair:
    """The product of f32 by multiply-adds that round once, through f64: errors of long products grow more slowly."""
    if x.re.dtype != f32:
        return mul(x, y)
    (a, b), (c, d) = to_type(x, f64), to_type(y, f64)
    left, right = (convert(convert(p, f32), f64) for p in (b * d, a * d))
    return to_type(Pair(a * c - left, b * c + right), f32)


def scale(z: Pair, by: Any) -> Pair:
    return Pair(z.re * by, z.im * by)


def times_i(z: Pair) -> Pair:
    return Pair(-z.im, z.re)


def over_i(z: Pair) -> Pair:
    return Pair(z.im, -z.re)


def div(x: Pair, y: Pair) -> Pair:
    """Smith, Algorithm 116 (1962): the larger part of the divisor is divided out first. Where a part is zero or
    infinite, the quotients of C99, annex G.5.1."""
    (a, b), (c, d) = x, y
    swap = abs(c) < abs(d)
    p, q = F.where(swap, d, c), F.where(swap, c, d)
    u, v = F.where(swap, b, a), F.where(swap, a, b)
    ratio = q / p
    below = p + q * ratio
    im = (v - u * ratio) / below
    out = Pair((u + v * ratio) / below, F.where(swap, -im, im))

    inf, zero = float("inf"), (c == 0) & (d == 0) & ~(F.isnan(a) & F.isnan(b))
    endless = F.copysign(full_like(c, inf), c)
    out = pick(zero, Pair(endless * a, endless * b), out)
    x_inf, y_inf = F.isinf(a) | F.isinf(b), F.isinf(c) | F.isinf(d)
    x_finite, y_finite = F.isfinite(a) & F.isfinite(b), F.isfinite(c) & F.isfinite(d)
    a1, b1, c1, d1 = (F.copysign(F.where(F.isinf(t), 1.0, zeros_like(t)), t) for t in (a, b, c, d))
    out = pick(x_inf & y_finite & ~zero, Pair(inf * (a1 * c + b1 * d), inf * (b1 * c - a1 * d)), out)
    return pick(x_finite & y_inf, Pair(0.0 * (a * c1 + b * d1), 0.0 * (b * c1 - a * d1)), out)


def larger_smaller(z: Pair) -> tuple[Array, Array]:
    """The magnitudes of the parts, in order; NaN where one is."""
    a, b = abs(z.re), abs(z.im)
    return F.maximum(a, b), F.minimum(a, b)


def has_infinity(z: Pair) -> Array:
    return F.isinf(z.re) | F.isinf(z.im)


def magnitude(z: Pair) -> Array:
    return F.hypot(z.re, z.im)


def angle(z: Pair) -> Array:
    return F.atan2(z.im, z.re)
