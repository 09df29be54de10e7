"""Ops on the bits of floats: rounding to a format of fewer bits, and the next number towards another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import TensorType, f16, f32, f64
from xdsl.ir import Data
from xdsl.irdl import VarConstraint, irdl_attr_definition, operand_def, prop_def, result_def
from xdsl.parser import AttrParser
from xdsl.printer import Printer

from .bits import bitcast
from .composite import Composite
from .elementwise import Binary, Elementwise, Np, full_like, where
from .op import EXACT, Array, Linear, Partial, Props, bind, op
from .types import FLOAT, UNSIGNED, Type, of_numpy, width

EXPONENT = {f16: 5, f32: 8, f64: 11}
"""Bits of the exponent; bf16 has those of f32."""


def formats(dtype: Any) -> tuple[int, int, Any]:
    """Bits of exponent and fraction, and the unsigned integer of as many bits."""
    bits, exponent = width(dtype), EXPONENT.get(dtype, 8)
    return exponent, bits - 1 - exponent, next(t for t in UNSIGNED if width(t) == bits)


@irdl_attr_definition
class FormatAttr(Data[tuple[int, int]]):
    """`e5m10`: a float format of 5 bits of exponent and 10 of fraction, beside the sign."""

    name = "nd.format"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[int, int]:
        at = parser.pos
        found = re.fullmatch(r"e(\d+)m(\d+)", text := parser.parse_identifier("expected a float format such as e5m10"))
        if found is None:
            parser.raise_error(f"expected a float format such as e5m10, found {text}", at)
        return int(found[1]), int(found[2])

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"e{self.data[0]}m{self.data[1]}")


class OnBits(Composite):
    """Works on the bits, so that a narrow type is not widened."""

    def expand(self, *args: Array, **kwargs: Any) -> Array:
        return self.decompose(*args, **kwargs)


@op("reduce_precision", linear=Linear.JOINT, tolerance=EXACT, flops=12, dtypes=FLOAT)
class ReducePrecision(Elementwise, OnBits):
    """`nd.reduce_precision %x e5m10`: rounded to a format of 5 bits of exponent and 10 of fraction, to nearest even.

    What is too large for it becomes infinite, and what is below its least normal number 0, with its sign. A format with
    more bits than the element type changes nothing. Linear, as the rounding of tangents.
    """

    T: ClassVar = VarConstraint("T", TensorType.constr())
    x = operand_def(T)
    format = prop_def(FormatAttr)
    result = result_def(T)
    assembly_format = "$x $format attr-dict `:` type($result)"

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        given = props["format"]
        if not isinstance(given, FormatAttr) or given.data[0] < 1:
            raise ValueError(f"expected a float format of at least one bit of exponent, found {given}")
        return super().infer(types, props)

    def decompose(self, x: Array) -> Array:
        exponent, fraction, word = formats(x.dtype)
        new_exponent, new_fraction = self.format.data
        if new_exponent >= exponent and new_fraction >= fraction:
            return x
        bits = bitcast(x, word)
        if (drop := fraction - new_fraction) > 0:
            # half of the last bit kept, less one, and that bit: a carry may run into the exponent
            odd = (bits >> drop) & 1
            bits = (bits + (odd + ((1 << (drop - 1)) - 1))) & ((1 << width(word)) - (1 << drop))
        sign, size = bits & (1 << (width(word) - 1)), bits & ((1 << (width(word) - 1)) - 1)
        if new_exponent < exponent:
            bias, new_bias = (1 << (exponent - 1)) - 1, (1 << (new_exponent - 1)) - 1
            infinity = ((1 << exponent) - 1) << fraction
            size = where(size < ((bias + 1 - new_bias) << fraction), 0, size)
            size = where(size >= ((bias + new_bias + 1) << fraction), infinity, size)
        return where(x != x, x, bitcast(sign | size, x.dtype))

    def reference(self, x: Np) -> Np:
        exponent, fraction, _ = formats(of_numpy(x.dtype))
        new_exponent, new_fraction = self.format.data
        word = np.dtype(f"u{x.dtype.itemsize}").type
        bits = np.ascontiguousarray(x).view(word).reshape(x.shape)
        if (drop := fraction - new_fraction) > 0:
            kept, rest = bits >> word(drop), bits & word((1 << drop) - 1)
            half = word(1 << (drop - 1))
            up = (rest > half) | ((rest == half) & (kept & word(1) == 1))
            bits = (kept + up.astype(word)) << word(drop)
        y = bits.view(x.dtype)
        if new_exponent < exponent:
            bias = (1 << (new_exponent - 1)) - 1
            size = np.abs(y.astype(np.float64))
            y = np.where(size < np.ldexp(1.0, 1 - bias), np.copysign(x.dtype.type(0), y), y)
            y = np.where(size >= np.ldexp(1.0, bias + 1), np.copysign(x.dtype.type(np.inf), y), y)
        return np.where(x != x, x, y).astype(x.dtype)

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [self.again([ct])]


@op("next_after", tolerance=EXACT, flops=12, dtypes=FLOAT)
class NextAfter(Binary, OnBits):
    """The number next to x towards y; y where they are equal, NaN where one is."""

    def decompose(self, x: Array, y: Array) -> Array:
        _, _, word = formats(x.dtype)
        top = 1 << (width(word) - 1)
        bits, other = bitcast(x, word), bitcast(y, word)
        up = (x < y) ^ (x < 0)  # away from 0
        step = where(up, bits + 1, bits - 1)
        least = (other & top) | 1
        out = bitcast(where(x == 0, least, step), x.dtype)
        return where(x == y, y, where((x != x) | (y != y), x + y, out))

    def reference(self, x: Np, y: Np) -> Np:
        return np.where(x == y, y, np.nextafter(x, y)).astype(x.dtype)

    def derivative(self, x: Array, y: Array, z: Array) -> Sequence[Partial]:
        return [full_like(x, 1.0), None]


def reduce_precision(x: Array, exponent_bits: int, mantissa_bits: int) -> Array:
    """Rounded to a float format of so many bits."""
    return bind(ReducePrecision, x, format=FormatAttr((exponent_bits, mantissa_bits)))
