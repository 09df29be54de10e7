"""`Quant`: integers that stand for reals.

!quant.uniform<i8:f32, 0.1:-128>             real = 0.1 * (stored + 128)
!quant.uniform<i8<-127:127>:f32, 0.1>        fewer stored values
!quant.uniform<u8:f32:1, {0.1, 0.2:3}>       a scale and a zero point for each index of dimension 1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xdsl.dialects.builtin import AnyFloat, IntegerType, Signedness, f64
from xdsl.ir import Attribute, Data, Dialect, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer


@dataclass(frozen=True)
class Uniform:
    """What a uniform type says. `scales` and `zero_points` have one element unless `axis` is there."""

    storage: IntegerType
    signed: bool
    low: int
    high: int
    expressed: Attribute
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int | None = None

    @property
    def whole_range(self) -> bool:
        return (self.low, self.high) == storage_range(self.storage.width.data, self.signed)


def storage_range(width: int, signed: bool) -> tuple[int, int]:
    return (-(1 << width - 1), (1 << width - 1) - 1) if signed else (0, (1 << width) - 1)


@irdl_attr_definition
class UniformType(Data[Uniform], TypeAttribute):
    """Uniformly quantised numbers, per tensor or per axis."""

    name = "quant.uniform"

    @property
    def compile_time_size(self) -> int:
        """Bytes of a stored element, as for xDSL's own element types."""
        return self.data.storage.compile_time_size

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Uniform:
        parser.parse_punctuation("<")
        at = parser.pos
        word = parser.parse_optional_identifier() or ""
        kind = word.lstrip("su")
        signed = not word.startswith("u")
        if not kind.startswith("i") and word[:1] in ("u",):
            kind = "i" + word[1:]
        if not kind[1:].isdecimal() or not 0 < int(kind[1:]) <= 32:
            parser.raise_error(
                f"expected a storage type of at most 32 bits, such as i8 or u8, found {word}", at, parser.pos
            )
        width = int(kind[1:])
        low, high = storage_range(width, signed)
        if parser.parse_optional_punctuation("<") is not None:
            low = parser.parse_integer(False)
            parser.parse_punctuation(":")
            high = parser.parse_integer(False)
            parser.parse_punctuation(">")
        parser.parse_punctuation(":")
        at = parser.pos
        expressed = parser.parse_type()
        if not isinstance(expressed, AnyFloat):
            parser.raise_error(f"expected a float type that is expressed, found {expressed}", at, parser.pos)
        axis = parser.parse_integer(False, False) if parser.parse_optional_punctuation(":") else None
        parser.parse_punctuation(",")
        scales: list[float] = []
        points: list[int] = []

        def pair() -> None:
            scales.append(float(parser.parse_number()))
            points.append(parser.parse_integer(False) if parser.parse_optional_punctuation(":") else 0)

        if axis is None:
            pair()
        else:
            parser.parse_comma_separated_list(parser.Delimiter.BRACES, pair)
        parser.parse_punctuation(">")
        storage = IntegerType(width, Signedness.SIGNLESS if signed else Signedness.UNSIGNED)
        return Uniform(storage, signed, low, high, expressed, tuple(scales), tuple(points), axis)

    def print_parameter(self, printer: Printer) -> None:
        data = self.data
        printer.print_string(f"<{'i' if data.signed else 'u'}{data.storage.width.data}")
        if not data.whole_range:
            printer.print_string(f"<{data.low}:{data.high}>")
        printer.print_string(":")
        printer.print_attribute(data.expressed)
        if data.axis is not None:
            printer.print_string(f":{data.axis}")
        printer.print_string(", " if data.axis is None else ", {")
        for index, (scale, point) in enumerate(zip(data.scales, data.zero_points, strict=True)):
            printer.print_string(", " if index else "")
            printer.print_float(scale, f64)
            if point:
                printer.print_string(f":{point}")
        printer.print_string(">" if data.axis is None else "}>")


@irdl_attr_definition
class AnyType(Data[str], TypeAttribute):
    """`!quant.any<i8:f32>`, kept as text."""

    name = "quant.any"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> str:
        return parser._parse_dialect_symbol_body()  # pyright: ignore[reportPrivateUsage]

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")


def is_quantized(of: Any) -> bool:
    """Whether an element type is uniformly quantised."""
    return isinstance(of, UniformType)


Quant = Dialect("quant", [], [UniformType, AnyType])
