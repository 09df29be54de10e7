"""Uniformly quantised numbers: each is a stored integer of real value scale * (stored - zero point).

    stablehlo.add %a, %b of quantised numbers         nd.add of the real numbers, quantised by the result's type
    stablehlo.uniform_quantize %x                     round_half_even(clamp(x / scale + zero point)), stored
    stablehlo.uniform_dequantize %a                   (stored - zero point) * scale

Scales and zero points of types along an axis are constants of its length. Rows and columns of matrix products stay
real numbers until the product is quantised, whose sums are so those of the expressed type.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from xdsl.dialects.builtin import f32, f64, i32, i64
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects.nd import functions as F
from ...dialects.nd.array import Array
from ...dialects.nd.constant import constant, full
from ...dialects.nd.op import bind
from ...dialects.nd.selection import Select, convert
from ...dialects.nd.types import NUMPY, is_tensor, tensor, width
from ...dialects.quant.dialect import Uniform, UniformType
from .elementwise import clamped
from .movement import spread
from .table import Converter, Value, converter

if TYPE_CHECKING:
    from .conversion import Conversion

EXACT = 24
"""Integers of so many bits are numbers of f32."""


def uniform_of(v: SSAValue) -> Uniform | None:
    t = v.type
    return t.element_type.data if is_tensor(t) and isinstance(t.element_type, UniformType) else None


def parameter(values: Sequence[float], u: Uniform, like: Array, dtype: Attribute) -> Array:
    """The scale or zero point of each element."""
    if u.axis is None:
        return full(values[0], tensor(like.shape, dtype))
    return spread(constant(np.array(values).astype(NUMPY[dtype]), dtype), like.shape, [u.axis])


def real(stored: Array, u: Uniform) -> Array:
    """(stored - zero point) * scale, the difference exact."""
    wide = i32 if width(stored.dtype) < 32 else i64
    x = convert(stored, wide)
    if any(u.zero_points):
        x = x - parameter(u.zero_points, u, x, wide)
    x = convert(x, u.expressed)
    return x * parameter(u.scales, u, x, u.expressed)


def stored(x: Array, u: Uniform, storage: Attribute) -> Array:
    """round_half_even(clamp(low, x / scale + zero point, high)); NaN is stored as 0."""
    x = convert(x, u.expressed)
    x = x / parameter(u.scales, u, x, u.expressed)
    if any(u.zero_points):
        x = x + parameter(u.zero_points, u, x, u.expressed)
    bits = width(storage)
    x = convert(x, u.expressed if bits <= 8 else f32 if bits <= EXACT and u.expressed != f64 else f64)
    low, high = (full(float(n), x.type) for n in (u.low, u.high))
    x = bind(Select, F.isnan(x), full(0.0, x.type), clamped(low, x, high))
    return convert(F.round_(x), storage)


def on_reals(convert_: Converter) -> Converter:
    """An op's converter on the numbers that quantised operands stand for; quantised results store what it gives."""

    def convert_reals(op: Operation, operands: list[Array], c: Conversion) -> Sequence[Value]:
        xs = [real(x, u) if (u := uniform_of(v)) else x for v, x in zip(op.operands, operands, strict=True)]

        def computed(dtype: Attribute) -> Attribute:
            return dtype.data.expressed if isinstance(dtype, UniformType) else c.element_type(dtype)

        outer, c.computed = c.computed, computed
        try:
            got = convert_(op, xs, c)
        finally:
            c.computed = outer
        results = [got] if isinstance(got, Array) else got
        return [
            stored(y, u, c.element_type(r.type)) if (u := uniform_of(r)) else y
            for r, y in zip(op.results, results, strict=True)
        ]

    return convert_reals


@converter("stablehlo.uniform_quantize")
def uniform_quantize(op: Operation, operands: list[Array], c: Conversion) -> Array:
    """Of a quantised operand: its real numbers, quantised again."""
    before, after = uniform_of(op.operands[0]), uniform_of(op.results[0])
    x = operands[0] if before is None else real(operands[0], before)
    assert after is not None, "verified"
    return stored(x, after, c.declared(op))


@converter("stablehlo.uniform_dequantize")
def uniform_dequantize(op: Operation, operands: list[Array], c: Conversion) -> Array:
    u = uniform_of(op.operands[0])
    assert u is not None, "verified"
    return convert(real(operands[0], u), c.declared(op))
