"""Attributes of the nd dialect, and how expressions of symbolic dimensions are read: `2*s*b - (s + 1) floordiv 2`."""

from __future__ import annotations

from typing import Any

from xdsl.ir import Data, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer

from .dims import Dim, Sym, symbol


@irdl_attr_definition
class SymAttr(Data[tuple[Sym, ...]]):
    """`#nd.sym<b, 2*s + 1>`: one expression for each `?` of the type, in order."""

    name = "nd.sym"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[Sym, ...]:
        with parser.in_angle_brackets():
            dims = parser.parse_comma_separated_list(parser.Delimiter.NONE, lambda: parse_dim(parser))
        for d in dims:
            if not isinstance(d, Sym):
                parser.raise_error(f"expected an expression with a symbol, found {d}: write the number into the shape")
        return tuple(d for d in dims if isinstance(d, Sym))

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(", ".join(map(str, self.data)))


@irdl_attr_definition
class DimsAttr(Data[tuple[Dim, ...]]):
    """`[0, b - 1]`: one number or expression for each dimension (starts, paddings, permuted axes)."""

    name = "nd.dims"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[Dim, ...]:
        return tuple(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parse_dim(parser)))

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string("[" + ", ".join(map(str, self.data)) + "]")


@irdl_attr_definition
class NumberAttr(Data[float]):
    """`1e-05`: a real parameter of an op, of no element type, with the fewest digits that read back exactly."""

    name = "nd.number"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> float:
        return float(parser.parse_number(allow_boolean=False))

    def print_parameter(self, printer: Printer) -> None:
        mantissa, e, exponent = repr(self.data).partition("e")
        printer.print_string(mantissa + ("" if "." in mantissa else ".0") + e + exponent)


@irdl_attr_definition
class ComplexAttr(Data[tuple[float, float]]):
    """`(1.0, -2.0)`: a complex number, of no element type. Equal are those that print alike, so that -0 is not 0."""

    name = "nd.complex_number"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[float, float]:
        with parser.in_parens():
            re = _parse_float(parser)
            parser.parse_punctuation(",")
            return re, _parse_float(parser)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"({self.data[0]!r}, {self.data[1]!r})")

    @property
    def number(self) -> complex:
        return complex(*self.data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComplexAttr) and repr(self.data) == repr(other.data)

    def __hash__(self) -> int:
        return hash(repr(self.data))


def _parse_float(parser: AttrParser) -> float:
    negative = parser.parse_optional_punctuation("-") is not None
    for word in ("nan", "inf"):
        if parser.parse_optional_keyword(word):
            return -float(word) if negative else float(word)
    found = float(parser.parse_number(allow_boolean=False))
    return -found if negative else found


@irdl_attr_definition
class DTypeVar(Data[str], TypeAttribute):
    """`!nd.dtype<T>`: an element type that a rule leaves open (graph.rule); counts as a float in the rule's text."""

    name = "nd.dtype"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> str:
        with parser.in_angle_brackets():
            return parser.parse_identifier("expected the name of an element type")

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.data)


def dims_attr(dims: Any) -> DimsAttr:
    return DimsAttr(tuple(dims))


def parse_dim(p: AttrParser) -> Dim:
    """`2*s*b - (s + 1) floordiv 2 + 3`."""
    out = _product(p)
    while True:
        if p.parse_optional_punctuation("+"):
            out = out + _product(p)
        elif (n := p.parse_optional_integer(allow_boolean=False)) is not None and n < 0:
            out = out + _product(p, n)  # `s -1`: the lexer took the sign into the number
        elif p.parse_optional_punctuation("-"):
            out = out - _product(p)
        else:
            return out


def _product(p: AttrParser, first: Dim | None = None) -> Dim:
    out = _atom(p) if first is None else first
    while True:
        if p.parse_optional_punctuation("*"):
            out = out * _atom(p)
        elif p.parse_optional_keyword("floordiv"):
            n = p.parse_integer()
            if n <= 0:
                p.raise_error(f"expected a positive divisor, found {n}")
            out = out // n
        else:
            return out


def _atom(p: AttrParser) -> Dim:
    if (n := p.parse_optional_integer(allow_boolean=False)) is not None:
        return n
    if p.parse_optional_punctuation("-"):
        return -_atom(p)
    if p.parse_optional_punctuation("("):
        out = parse_dim(p)
        p.parse_punctuation(")")
        return out
    if p.parse_optional_punctuation("..."):
        return symbol("...")  # any number of dimensions, in rules
    return symbol(p.parse_identifier("expected a symbol or an integer"))
