"""Types of StableHLO that are not builtin: tokens and futures."""

from __future__ import annotations

from xdsl.ir import Attribute, Data, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer


@irdl_attr_definition
class TokenType(ParametrizedAttribute, TypeAttribute):
    """Orders effects."""

    name = "stablehlo.token"


@irdl_attr_definition
class FutureType(Data[tuple[Attribute, ...]], TypeAttribute):
    """What an asynchronous op will give."""

    name = "stablehlo.future"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[Attribute, ...]:
        return tuple(parser.parse_comma_separated_list(parser.Delimiter.ANGLE, parser.parse_type))

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string("<")
        printer.print_list(self.data, printer.print_attribute)
        printer.print_string(">")


TYPES: list[type[Attribute]] = [TokenType, FutureType]
