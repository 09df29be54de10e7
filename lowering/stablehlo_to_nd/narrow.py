"""Elements of fewer bits than nd computes with: integers of 2 and 4 bits in 8, floats of 4 and 8 bits in f32.

    stablehlo.add %a, %b : tensor<4xi4>     nd.convert of both to i8, nd.add, nd.convert to i4

Modulo 2^4 a sum of 8 bits is the sum of 4 bits; so are differences, products, and whatever acts on each bit. What looks
at the bits above (logical shifts, counts of bits) takes numbers without a sign. An f32 has more than twice the bits of
these floats, so that a result that is rounded twice is rounded once (Figueroa, When is double rounding innocuous?).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import f32, i8
from xdsl.ir import Attribute, Operation

from ...dialects.nd.array import Array
from ...dialects.nd.bits import bitcast
from ...dialects.nd.constant import full
from ...dialects.nd.selection import convert
from ...dialects.nd.types import SMALL, STORAGE, i2, i4, ui2, ui4, ui8, width
from .table import Converter, Value

if TYPE_CHECKING:
    from .conversion import Conversion

UNSIGNED: dict[Attribute, Attribute] = {i4: ui4, i2: ui2}
SIGNED: dict[Attribute, Attribute] = {ui4: i4, ui2: i2}
BITS = ("shift_right_logical", "popcnt", "count_leading_zeros")
"""What sees the bits above those of a narrow number: they have to be zeros."""


def wide(dtype: Attribute) -> Attribute:
    if dtype not in STORAGE:
        return dtype
    return f32 if dtype not in SMALL else i8 if dtype in UNSIGNED else ui8


def as_unsigned(x: Array) -> Array:
    return convert(bitcast(x, UNSIGNED.get(x.dtype, x.dtype)), ui8) if x.dtype in SMALL else x


def as_signed(x: Array) -> Array:
    return convert(bitcast(x, SIGNED.get(x.dtype, x.dtype)), i8) if x.dtype in SMALL else x


def widened(convert_: Converter) -> Converter:
    """An op's converter on wider elements; narrow results keep the low bits."""

    def convert_wide(op: Operation, operands: list[Array], c: Conversion) -> Sequence[Value]:
        name = op.name.rpartition(".")[2].removeprefix("broadcast_")
        if name in BITS:
            xs = [as_unsigned(x) for x in operands]
        elif name == "shift_right_arithmetic":
            xs = [as_signed(x) for x in operands]
        else:
            xs = [convert(x, wide(x.dtype)) for x in operands]

        def computed(dtype: Attribute) -> Attribute:
            return wide(c.element_type(dtype))

        outer, c.computed = c.computed, computed
        try:
            got = convert_(op, xs, c)
        finally:
            c.computed = outer
        results = [got] if isinstance(got, Array) else list(got)
        if name == "count_leading_zeros":
            results = [y - full(8 - width(operands[0].dtype), y.type) for y in results]
        return [narrowed(y, c.element_type(r.type)) for r, y in zip(op.results, results, strict=True)]

    return convert_wide


def narrowed(y: Array, to: Attribute) -> Array:
    if to not in SMALL:
        return convert(y, to)
    return bitcast(convert(bitcast(y, ui8), UNSIGNED.get(to, to)), to)
