"""Where values live: attributes of the memory plan, and the views that cost nothing.

    #graph.place<arena 128, 4096>      bytes 128 .. 4224 of the arena; sizes and offsets may be symbolic
    #graph.place<result 0, 4096>       the buffer of the program's result 0
    #graph.place<result 0 at 64, 16>   bytes 64 .. 80 of it
    #graph.place<argument 2, 4096>     the buffer of a donated argument
    #graph.view<argument 0, 3, [1, 4]> base buffer, then offset and strides in elements

A view's base is an argument, a result, a constant (by the order in which the program states them) or the arena. Inside
of a loop offsets may name its counter, `trip$0`, which after the loop is the number of its trips.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from xdsl.ir import Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer

from ..nd.attributes import parse_dim
from ..nd.dims import Dim

PLACES = "graph.places"
"""On what has results: one `#graph.place` for each."""

BASES = ("arena", "result", "argument", "constant")


class Place(NamedTuple):
    """A buffer: its kind, which one (for the arena: the offset in bytes), how many bytes, from which byte of it on."""

    base: str
    number: Dim
    bytes: Dim
    at: Dim = 0

    def moved(self, offset: Dim, bytes: Dim) -> Place:
        """A part of it."""
        if self.base == "arena":
            return Place("arena", self.number + offset, bytes)
        return Place(self.base, self.number, bytes, self.at + offset)


class Strided(NamedTuple):
    """Elements of a buffer: offset and one stride for each dimension, in elements."""

    base: str
    number: Dim
    offset: Dim
    strides: tuple[Dim, ...]


def _base(parser: AttrParser) -> tuple[str, Dim]:
    base = parser.parse_identifier(f"expected one of {', '.join(BASES)}")
    if base not in BASES:
        parser.raise_error(f"expected one of {', '.join(BASES)}, found {base}")
    return base, parse_dim(parser)


@irdl_attr_definition
class PlaceAttr(Data[Place]):
    """The buffer of a kernel's result."""

    name = "graph.place"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Place:
        with parser.in_angle_brackets():
            base, number = _base(parser)
            at = parse_dim(parser) if base != "arena" and parser.parse_optional_keyword("at") else 0
            parser.parse_punctuation(",")
            return Place(base, number, parse_dim(parser), at)

    def print_parameter(self, printer: Printer) -> None:
        base, number, size, at = self.data
        printer.print_string(f"<{base} {number}{'' if at == 0 else f' at {at}'}, {size}>")


@irdl_attr_definition
class ViewAttr(Data[Strided]):
    """How a result of the program lies in a buffer."""

    name = "graph.view"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Strided:
        with parser.in_angle_brackets():
            base, number = _base(parser)
            parser.parse_punctuation(",")
            offset = parse_dim(parser)
            parser.parse_punctuation(",")
            strides = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parse_dim(parser))
            return Strided(base, number, offset, tuple(strides))

    def print_parameter(self, printer: Printer) -> None:
        base, number, offset, strides = self.data
        printer.print_string(f"<{base} {number}, {offset}, [{', '.join(map(str, strides))}]>")


@irdl_attr_definition
class SizeAttr(Data[Dim]):
    """A number of bytes, which may be symbolic."""

    name = "graph.size"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Dim:
        with parser.in_angle_brackets():
            return parse_dim(parser)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")


def row_major(shape: Sequence[Dim]) -> tuple[Dim, ...]:
    """The strides of dense rows."""
    out: list[Dim] = []
    step: Dim = 1
    for d in reversed(shape):
        out.append(step)
        step = step * d
    return tuple(reversed(out))
