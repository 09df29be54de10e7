"""The attributes of StableHLO: `ATTRIBUTES`, and those that describe the types of tensors and groups of devices."""

from __future__ import annotations

from xdsl.ir import Attribute, Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer

from .dimension_numbers import (
    ConvDimensionNumbers,
    DotDimensionNumbers,
    GatherDimensionNumbers,
    ScatterDimensionNumbers,
)
from .records import ChannelHandle, DotAlgorithm, OutputOperandAlias, Record, ResultAccuracy
from .words import (
    ComparisonDirection,
    ComparisonType,
    CustomCallApiVersion,
    FftType,
    Precision,
    ResultAccuracyMode,
    RngAlgorithm,
    RngDistribution,
    Transpose,
)


@irdl_attr_definition
class Bounds(Data[tuple[int | None, ...]]):
    """`<3, ?>`: for each dimension its largest size, None for one that is static."""

    name = "stablehlo.bounds"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[int | None, ...]:
        def bound() -> int | None:
            return None if parser.parse_optional_punctuation("?") else parser.parse_integer(False, False)

        return tuple(parser.parse_comma_separated_list(parser.Delimiter.ANGLE, bound))

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string("<" + ", ".join("?" if b is None else str(b) for b in self.data) + ">")


@irdl_attr_definition
class ReplicaGroupMeshAxes(Data[str]):
    """Kept as text."""

    name = "stablehlo.replica_group_mesh_axes"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> str:
        return parser._parse_dialect_symbol_body()  # pyright: ignore[reportPrivateUsage]

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")


@irdl_attr_definition
class TypeExtensions(Record):
    """The older spelling of bounds."""

    name = "stablehlo.type_extensions"
    FIELDS = ("bounds",)


ATTRIBUTES: list[type[Attribute]] = [
    ComparisonDirection,
    ComparisonType,
    FftType,
    Precision,
    RngAlgorithm,
    RngDistribution,
    Transpose,
    CustomCallApiVersion,
    ResultAccuracyMode,
    DotDimensionNumbers,
    GatherDimensionNumbers,
    ScatterDimensionNumbers,
    ConvDimensionNumbers,
    ChannelHandle,
    OutputOperandAlias,
    DotAlgorithm,
    ResultAccuracy,
    Bounds,
    TypeExtensions,
    ReplicaGroupMeshAxes,
]
