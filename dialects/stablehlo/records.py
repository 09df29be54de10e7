"""Records of keys and values: channel handles, aliases, algorithms, accuracies.

They keep their pairs in the order of the specification.
"""

from __future__ import annotations

from typing import Any, ClassVar

from xdsl.dialects.builtin import Float64Type
from xdsl.ir import Attribute, Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer

from .dimension_numbers import ints_text, parse_pairs
from .words import ResultAccuracyMode


class Record(Data[tuple[tuple[str, Any], ...]]):
    """Pairs of a key and an int, a bool, a tuple of ints, a float or an attribute."""

    FIELDS: ClassVar[tuple[str, ...]] = ()
    OMITTED: ClassVar[tuple[Any, ...]] = ()
    """Values that are not printed."""

    def value(self, name: str, default: Any = None) -> Any:
        return dict(self.data).get(name, default)

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[tuple[str, Any], ...]:
        found: dict[str, Any] = {}

        def pair() -> None:
            at = parser.pos
            name = parser.parse_optional_identifier()
            if name not in cls.FIELDS:
                parser.raise_error(f"expected one of {', '.join(cls.FIELDS)}, found {name}", at, parser.pos)
            parser.parse_punctuation("=")
            found[name] = _parse_value(parser)

        parse_pairs(parser, pair)
        return tuple((f, found[f]) for f in cls.FIELDS if f in found and found[f] not in cls.OMITTED)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string("<")
        for index, (name, value) in enumerate(self.data):
            printer.print_string(f"{', ' if index else ''}{name} = ")
            if isinstance(value, Attribute):
                printer.print_attribute(value)
            elif isinstance(value, tuple):
                printer.print_string(ints_text(value))  # pyright: ignore[reportUnknownArgumentType]
            elif isinstance(value, float):
                printer.print_float(value, Float64Type())
            else:
                printer.print_string(str(value).lower())
        printer.print_string(">")


def _parse_value(parser: AttrParser) -> Any:
    if (flag := parser.parse_optional_boolean()) is not None:
        return flag
    if (number := parser.parse_optional_number()) is not None:
        return number
    items = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_integer(False))
    if items is not None:
        return tuple(items)
    return parser.parse_attribute()


@irdl_attr_definition
class ChannelHandle(Record):
    name = "stablehlo.channel_handle"
    FIELDS = ("handle", "type")


@irdl_attr_definition
class OutputOperandAlias(Record):
    name = "stablehlo.output_operand_alias"
    FIELDS = ("output_tuple_indices", "operand_index", "operand_tuple_indices")


@irdl_attr_definition
class DotAlgorithm(Record):
    name = "stablehlo.dot_algorithm"
    FIELDS = (
        "lhs_precision_type",
        "rhs_precision_type",
        "accumulation_type",
        "lhs_component_count",
        "rhs_component_count",
        "num_primitive_operations",
        "allow_imprecise_accumulation",
    )


@irdl_attr_definition
class ResultAccuracy(Record):
    """How exact a function's result has to be; the default mode is not printed by the ops."""

    name = "stablehlo.result_accuracy"
    FIELDS = ("atol", "rtol", "ulps", "mode")
    OMITTED = (0,)

    @property
    def is_default(self) -> bool:
        return self.value("mode", DEFAULT_MODE) == DEFAULT_MODE


DEFAULT_MODE = ResultAccuracyMode("DEFAULT")
