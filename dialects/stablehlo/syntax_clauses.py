"""Clauses of the pretty syntax: each says how one property of an op is written, such as `low = [0]`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, BoolAttr, DenseArrayBase, IntegerAttr, StringAttr, i32, i64
from xdsl.ir import Attribute, Operation
from xdsl.parser import Parser
from xdsl.printer import Printer

from .dimension_numbers import DotDimensionNumbers, ints_text, parse_ints
from .records import DotAlgorithm
from .words import Precision, Word

Properties = dict[str, Attribute]


@dataclass(frozen=True)
class Clause:
    """`, key = value`, the value of the property `name`."""

    key: str
    name: str
    optional: bool = False

    def parse_value(self, parser: Parser, found: Properties) -> None:
        found[self.name] = self.read(parser)

    def read(self, parser: Parser) -> Attribute:
        raise NotImplementedError

    def text(self, value: Any) -> str:
        raise NotImplementedError

    def print(self, printer: Printer, op: Operation) -> None:
        printer.print_string(self.text(op.properties[self.name]))

    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def present(self, op: Operation) -> bool:
        return self.name in op.properties


class Ints(Clause):
    """`[0, 1]`"""

    def read(self, parser: Parser) -> Attribute:
        return int_array(parse_ints(parser))

    def text(self, value: Any) -> str:
        return ints_text(value.get_values())


class Int(Clause):
    def read(self, parser: Parser) -> Attribute:
        return IntegerAttr(parser.parse_integer(False), i64)

    def text(self, value: Any) -> str:
        return str(value.value.data)


class Bool(Clause):
    def read(self, parser: Parser) -> Attribute:
        return BoolAttr.from_bool(parser.parse_boolean())

    def text(self, value: Any) -> str:
        return "true" if value.value.data else "false"


class String(Clause):
    def read(self, parser: Parser) -> Attribute:
        return StringAttr(parser.parse_str_literal())

    def print(self, printer: Printer, op: Operation) -> None:
        value = op.properties[self.name]
        assert isinstance(value, StringAttr)
        printer.print_string_literal(value.data)


@dataclass(frozen=True)
class Enumeration(Clause):
    """A word, with a blank more before it than elsewhere (see `spaced`)."""

    kind: type[Word] = Word

    def read(self, parser: Parser) -> Attribute:
        return self.kind(self.kind.parse_word(parser))

    def print(self, printer: Printer, op: Operation) -> None:
        value = op.properties[self.name]
        assert isinstance(value, Word)
        printer.print_string(spaced(printer) + value.data)


class Format(Clause):
    """`e5m10`: the bits of exponent and mantissa."""

    def parse_value(self, parser: Parser, found: Properties) -> None:
        at = parser.pos
        word = parser.parse_identifier()
        exponent, _, mantissa = word[1:].partition("m")
        if word[0] != "e" or not exponent.isdecimal() or not mantissa.isdecimal():
            parser.raise_error(f"expected a format such as e5m10, found {word}", at, parser.pos)
        found["exponent_bits"] = IntegerAttr(int(exponent), i32)
        found["mantissa_bits"] = IntegerAttr(int(mantissa), i32)

    def print(self, printer: Printer, op: Operation) -> None:
        exponent, mantissa = (cast(Any, op.properties[n]).value.data for n in self.names())
        printer.print_string(f"e{exponent}m{mantissa}")

    def names(self) -> tuple[str, ...]:
        return ("exponent_bits", "mantissa_bits")

    def present(self, op: Operation) -> bool:
        return all(n in op.properties for n in self.names())


class Precisions(Clause):
    """`[DEFAULT, HIGHEST]`"""

    def read(self, parser: Parser) -> Attribute:
        words = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: Precision.parse_word(parser))
        return ArrayAttr([Precision(w) for w in words])

    def text(self, value: Any) -> str:
        return "[" + ", ".join(v.data for v in value.data) + "]"

    def present(self, op: Operation) -> bool:
        value = op.properties.get(self.name)
        return isinstance(value, ArrayAttr) and len(cast(ArrayAttr[Attribute], value)) > 0


class Pair(Clause):
    """`[0] x [1]`: the lists `lhs_` and `rhs_` of a dot's dimension numbers."""

    def parse_value(self, parser: Parser, found: Properties) -> None:
        left = parse_ints(parser)
        parser.parse_shape_delimiter()
        right = parse_ints(parser)
        before = found.get(self.name)
        fields: dict[str, Any] = {}
        if isinstance(before, DotDimensionNumbers):
            fields = dict(zip(DotDimensionNumbers.FIELDS, before.data, strict=True))
        what = self.key.replace("_dims", "_dimensions")
        found[self.name] = DotDimensionNumbers.of(**fields | {f"lhs_{what}": left, f"rhs_{what}": right})

    def lists(self, op: Operation) -> tuple[tuple[int, ...], tuple[int, ...]]:
        value = op.properties.get(self.name)
        what = self.key.replace("_dims", "_dimensions")
        return (getattr(value, f"lhs_{what}"), getattr(value, f"rhs_{what}")) if is_dot(value) else ((), ())

    def print(self, printer: Printer, op: Operation) -> None:
        left, right = self.lists(op)
        printer.print_string(f"{ints_text(left)} x {ints_text(right)}")

    def present(self, op: Operation) -> bool:
        return not self.optional or any(self.lists(op))


class Algorithm(Clause):
    """`<lhs_precision_type = f32, ...>`"""

    def read(self, parser: Parser) -> Attribute:
        return DotAlgorithm(DotAlgorithm.parse_parameter(parser))

    def print(self, printer: Printer, op: Operation) -> None:
        value = op.properties[self.name]
        assert isinstance(value, DotAlgorithm)
        value.print_parameter(printer)


def is_dot(value: Attribute | None) -> Any:
    return isinstance(value, DotDimensionNumbers)


def int_array(values: Sequence[int]) -> DenseArrayBase:
    return _int_array(tuple(values))


@lru_cache(4096)
def _int_array(values: tuple[int, ...]) -> DenseArrayBase:
    return DenseArrayBase.from_list(i64, values)


def spaced(printer: Printer) -> str:
    """The blank that older printers put before enumerations."""
    return " " if getattr(printer, "wide", True) else ""
